#include "cli/mdoc.hpp"

#include <cctype>
#include <ctime>

#include <fmt/chrono.h>

#include "core/text.hpp"

namespace datachange {

namespace {

constexpr std::size_t longest_line = 78;  // more is a fault of style to mandoc

std::string upper(std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

/// @param line escaped; a dot in front would begin a macro
std::string text_line(const std::string& line) {
    return (line.starts_with('.') ? "\\&" : "") + line + "\n";
}

/// Behind the first full stop that is none of "e.g. this".
std::size_t sentence_end(const std::string& text) {
    std::size_t stop = text.find(". ");
    while (stop != std::string::npos && std::islower(static_cast<unsigned char>(text[stop + 2])) != 0)
        stop = text.find(". ", stop + 1);
    return stop == std::string::npos ? text.size() : stop + 1;
}

}  // namespace

Mdoc::Mdoc(const std::string& title, int chapter, std::int64_t date, const std::string& version) {
    line(fmt::format("Dd {:%B %e, %Y}", fmt::gmtime(static_cast<std::time_t>(date))));
    line(fmt::format("Dt {} {}", upper(title), chapter));
    line("Os datachange " + version);
}

void Mdoc::sentences(const std::string& text) {
    std::string rest{trim(text)};
    if (rest.empty()) return;
    if (rest.back() != '.') rest += '.';
    while (!rest.empty()) {
        const std::size_t end = sentence_end(rest);
        for (const std::string& one : split(wrapped(escaped(rest.substr(0, end)), longest_line), '\n'))
            m_text += text_line(one);
        rest = trim(rest.substr(end));
    }
}

void Mdoc::example(const std::string& lines) {
    line("Bd -literal -offset indent");
    for (const std::string& one : split(lines, '\n')) m_text += text_line(escaped(one));
    line("Ed");
}

std::string Mdoc::escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
            case '\\':
                result += "\\e";
                break;
            case '-':
                result += "\\-";
                break;  // else a hyphen, which a terminal's user cannot copy as an option
            case '`':
                result += "\\(ga";
                break;
            case '\'':
                result += "\\(aq";
                break;
            case '"':
                result += "\\(dq";
                break;
            case '^':
                result += "\\(ha";
                break;
            case '~':
                result += "\\(ti";
                break;
            default:
                result += c;
        }
    }
    return result;
}

}  // namespace datachange
