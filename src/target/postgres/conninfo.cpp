#include "target/postgres/conninfo.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "core/text.hpp"

namespace datachange::postgres {

namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;
using Settings = std::map<std::string, std::string>;

Settings settings_of(const PQconninfoOption* option) {
    Settings settings;
    for (; option && option->keyword; ++option) {
        if (option->val && *option->val) settings[option->keyword] = option->val;
    }
    return settings;
}

Settings parse_url(const std::string& url) {
    char* message = nullptr;
    const Options options(PQconninfoParse(url.c_str(), &message), &PQconninfoFree);
    const std::unique_ptr<char, decltype(&PQfreemem)> owned(message, &PQfreemem);
    if (options) return settings_of(options.get());
    // libpq quotes what it stumbled over, which may be the password
    throw Error(ExitCode::unreachable, "libpq does not understand the database URL",
                "Give it as postgresql://user@host:5432/name; special characters in a part are written as "
                "%40 and so on.");
}

std::string quoted(const std::string& value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + "'";
}

std::string percent_encoded(const std::string& part) {
    std::string text;
    for (const char c : part) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view{"-._~"}.find(c) != std::string_view::npos;
        text += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return text;
}

}  // namespace

std::string address_text(const Address& address) {
    const bool ipv6 = address.host.find(':') != std::string::npos;
    return "postgresql://" + (address.user.empty() ? "" : percent_encoded(address.user) + "@") +
           (ipv6 ? "[" + address.host + "]" : percent_encoded(address.host)) +
           (address.port.empty() ? "" : ":" + address.port) + "/" + percent_encoded(address.database);
}

std::string cut_identifier(const std::string& name) {
    constexpr std::size_t longest = 63;
    std::size_t length = std::min(name.size(), longest);
    while (length < name.size() && (static_cast<unsigned char>(name[length]) & 0xc0) == 0x80) --length;
    return name.substr(0, length);
}

ConnectionPlan plan_connection(const std::string& url, const std::string& application_name) {
    Settings given = parse_url(url);
    const Settings environment = settings_of(Options(PQconndefaults(), &PQconninfoFree).get());

    given["client_encoding"] = "UTF8";
    given["application_name"] = cut_identifier(application_name);  // or the server says so in a notice
    const Settings wishes{{"keepalives_idle", "30"},
                          {"keepalives_interval", "10"},
                          {"keepalives_count", "3"},
                          {"tcp_user_timeout", "60000"},
                          {"connect_timeout", "10"}};
    for (const auto& [keyword, value] : wishes) {
        if (!environment.contains(keyword)) given.try_emplace(keyword, value);
    }

    const auto known = [&](const std::string& keyword) {
        if (const auto own = given.find(keyword); own != given.end()) return own->second;
        const auto inherited = environment.find(keyword);
        return inherited == environment.end() ? std::string{} : inherited->second;
    };
    ConnectionPlan plan;
    for (const auto& [keyword, value] : given) plan.conninfo += keyword + "=" + quoted(value) + " ";
    plan.password = known("password");
    plan.address = {known("user"), known("host"), known("port"), known("dbname")};
    if (plan.address.host.empty()) plan.address.host = known("hostaddr");
    if (plan.address.database.empty()) plan.address.database = plan.address.user;  // as libpq does
    const std::string wanted = known("target_session_attrs");
    plan.several_hosts =
        plan.address.host.find(',') != std::string::npos && (wanted.empty() || wanted == "any");
    return plan;
}

namespace {

void replace_all(std::string& text, const std::string& what, const std::string& by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
        text.replace(at, what.size(), by);
    }
}

/// libpq's words without the password, on one line: the last attempt's, without its "connection to server at
/// ...".
std::string cleaned(std::string text, const std::string& password) {
    if (!password.empty()) replace_all(text, password, "***");
    const std::size_t last_attempt = text.rfind("connection to server ");
    if (last_attempt != std::string::npos) {
        const std::size_t reason = text.find("failed: ", last_attempt);
        if (reason != std::string::npos) text.erase(0, reason + 8);
    }
    const std::size_t severity = text.find(":  ");  // "FATAL:  ", in whatever language
    if (severity != std::string::npos && severity < text.find(' ')) text.erase(0, severity + 3);
    text = std::string{trim(text)};
    replace_all(text, "\n", " ");
    replace_all(text, "\t", "");
    return text;
}

struct Cause {
    std::string_view
        sign;  ///< in what libpq or the server says; there is no SQLSTATE for a connection not made
    std::string_view hint;
};

const std::vector<Cause>& causes() {
    static const std::vector<Cause> known{
        {"no password supplied", "Give a password: PGPASSWORD, ~/.pgpass, or in the URL."},
        {"password authentication failed",
         "Check user and password: those of the URL come before PGPASSWORD and ~/.pgpass."},
        {"no pg_hba.conf entry",
         "The server does not let this user connect from here: its pg_hba.conf has to."},
        {"database \"",
         "Check the name of the database at the URL's end; psql -l lists those of the server."},
        {"role \"", "Check the user of the URL; without one it is the user of this process."},
        {"could not translate host name", "Check the host of the URL."},
        {"Connection refused", "Check host and port, and that the server runs and listens there."},
        {"No such file or directory", "No server listens on that socket: check host and port, or start it."},
        {"timeout expired", "Nothing answered: check host and port, and the firewalls on the way."},
        {"too many clients", "Wait until others have disconnected, or raise max_connections."},
        {"starting up", "Try again in a moment."},
    };
    return known;
}

}  // namespace

Error connection_error(const ConnectionPlan& plan, const std::string& libpq_message) {
    const std::string reason = cleaned(libpq_message, plan.password);
    const auto cause = std::find_if(causes().begin(), causes().end(), [&](const Cause& candidate) {
        return reason.find(candidate.sign) != std::string::npos;
    });
    return Error(ExitCode::unreachable,
                 fmt::format("cannot connect to {}: {}", address_text(plan.address), reason),
                 std::string{cause == causes().end() ? "Check the database URL, and that the server runs."
                                                     : cause->hint});
}

}  // namespace datachange::postgres
