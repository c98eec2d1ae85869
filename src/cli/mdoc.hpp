#pragma once

#include <cstdint>
#include <string>

namespace datachange {

/// A manual page in the macros of mdoc(7), written from top to bottom. What is given is plain text.
class Mdoc {
public:
    /// @param title "datachange-run"
    /// @param date in seconds since 1970
    Mdoc(const std::string& title, int chapter, std::int64_t date, const std::string& version);

    void section(const std::string& name) { line("Sh " + name); }
    void subsection(const std::string& name) { line("Ss " + escaped(name)); }
    /// A line of macros, already escaped, without its dot.
    void line(const std::string& macros) { m_text += "." + macros + "\n"; }
    /// Sentences; each begins a line of its own, as the format wants it. A full stop is added where none is
    /// there.
    void sentences(const std::string& text);
    /// Lines that stay as they are.
    void example(const std::string& lines);

    const std::string& text() const { return m_text; }

    /// Text within a line of macros, or beneath one.
    static std::string escaped(const std::string& text);

private:
    std::string m_text;
};

}  // namespace datachange
