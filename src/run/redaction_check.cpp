#include "run/redaction_check.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/redaction.hpp"
#include "core/text.hpp"
#include "definition/lexer.hpp"
#include "definition/statement.hpp"

namespace datachange {

namespace {

using Tokens = std::vector<Token>;

/// The tokens from `begin` on that make a list of results, taken apart at its commas.
std::vector<Tokens> list_items(const Tokens& code, std::size_t begin) {
    std::vector<Tokens> items(1);
    int depth = 0;
    for (std::size_t at = begin; at < code.size(); ++at) {
        const Token& token = code[at];
        if (token.is("(") || token.is("[")) ++depth;
        if (token.is(")") || token.is("]")) --depth;
        const bool ends = token.is_word("FROM") || token.is_word("UNION") || token.is_word("INTERSECT") ||
                          token.is_word("EXCEPT");
        if (depth == 0 && ends) break;
        if (depth == 0 && token.is(",")) {
            items.emplace_back();
        } else {
            items.back().push_back(token);
        }
    }
    return items;
}

/// Where the lists of results begin at the statement's own level: behind RETURNING, or behind each SELECT.
std::vector<std::size_t> list_begins(const Statement& statement) {
    const std::optional<Token> returning = classify(statement).returning;
    std::vector<std::size_t> begins;
    int depth = 0;
    for (std::size_t at = 0; at < statement.code.size(); ++at) {
        const Token& token = statement.code[at];
        if (token.is("(")) ++depth;
        if (token.is(")")) --depth;
        const bool begin = returning ? token.offset == returning->offset : token.is_word("SELECT");
        if (depth == 0 && begin) begins.push_back(at + 1);
    }
    return begins;
}

/// `email`, `u.email AS contact`, `DISTINCT email`: the engine tells which column it is, save of a UNION.
bool is_column(const Tokens& item) {
    std::size_t at = item.front().is_word("DISTINCT") || item.front().is_word("ALL") ? 1 : 0;
    if (at == item.size() || !item[at].is_name() || item[at].is_word("NOT")) return false;
    for (++at; at + 1 < item.size() && item[at].is(".") && item[at + 1].is_name();) at += 2;
    if (at < item.size() && item[at].is_word("AS")) ++at;
    return at == item.size() || (at + 1 == item.size() && item[at].is_name());
}

/// `count(...)`, with FILTER, OVER and a name at most.
bool is_count(const Tokens& item) {
    int depth = 0;
    return item.front().is_word("COUNT") && std::all_of(item.begin(), item.end(), [&](const Token& token) {
               if (token.is("(")) ++depth;
               if (token.is(")")) return --depth >= 0;
               return depth > 0 || token.is_name();
           });
}

class ItemCheck {
public:
    ItemCheck(const SqlTemplate& sql, Engine engine, const std::vector<Column>* columns)
        : m_redact(sql.redact), m_engine(engine), m_columns(columns) {}

    /// The redacted column that an item tells under another name, or "".
    std::string told_by(const Tokens& item) const {
        if (item.empty() || is_count(item) || is_named_redacted(item)) return {};
        if (is_column(item) && is_known(item.back())) return {};
        return column_in(item);
    }
    /// The same in a list behind UNION or the like, which has the names of the first one.
    std::string told_by(const Tokens& item, std::size_t place, std::size_t width) const {
        const bool named = m_columns && m_columns->size() == width;
        const bool known = !named || is_redacted((*m_columns)[place], m_redact);
        return known || item.empty() || is_count(item) ? "" : column_in(item);
    }

private:
    bool is_named_redacted(const Tokens& item) const {
        return item.size() > 1 && item[item.size() - 2].is_word("AS") && is_redacted_name(item.back());
    }
    std::string column_in(const Tokens& item) const {
        const auto found =
            std::find_if(item.begin(), item.end(), [this](const Token& t) { return is_redacted_name(t); });
        return found == item.end() ? "" : bare_name(*found, m_engine);
    }
    /// A plain column that the engine tells to be redacted, or will.
    bool is_known(const Token& name) const {
        if (!m_columns || is_redacted_name(name)) return true;
        const auto place = find_column(*m_columns, bare_name(name, m_engine));
        return !place || is_redacted((*m_columns)[*place], m_redact);
    }
    bool is_redacted_name(const Token& token) const {
        return token.is_name() && is_redacted({bare_name(token, m_engine), "", "", ""}, m_redact);
    }

    const std::vector<std::string>& m_redact;
    Engine m_engine;
    const std::vector<Column>* m_columns;
};

[[noreturn]] void refuse_item(const std::string& text, const Tokens& item, const std::string& column,
                              const std::string& section) {
    const std::size_t begin = item.front().offset;
    throw Error(ExitCode::usage,
                fmt::format("{} tells of {}, which is redacted, in `{}`", section, column,
                            text.substr(begin, item.back().end() - begin)),
                "Give it a name (AS ...) that `redact` names too, or leave it out. Nothing was changed.");
}

}  // namespace

void require_redacted_expressions(const SqlTemplate& sql, Engine engine, const std::vector<Column>* columns,
                                  const std::string& section) {
    if (sql.redact.empty()) return;
    const std::string text = sql.text();
    const ItemCheck check(sql, engine, columns);
    for (const Statement& statement : split_statements(lex(text, engine), engine)) {
        const std::vector<std::size_t> begins = list_begins(statement);
        for (const std::size_t begin : begins) {
            const std::vector<Tokens> items = list_items(statement.code, begin);
            for (std::size_t place = 0; place < items.size(); ++place) {
                const Tokens& item = items[place];
                const std::string column =
                    begin == begins.front() ? check.told_by(item) : check.told_by(item, place, items.size());
                if (!column.empty()) refuse_item(text, item, column, section);
            }
        }
    }
}

void require_redacted_by_origin(const std::vector<Column>& columns, const std::vector<std::string>& redact) {
    for (const Column& column : columns) {
        const Column origin{column.origin_column, "", "", ""};
        if (column.origin_column.empty() || !is_redacted(column, redact) || is_redacted(origin, redact))
            continue;
        if (lower(column.name).starts_with("was_")) continue;  // of a name that is redacted itself
        throw Error(ExitCode::usage,
                    fmt::format("{} is redacted, but it is the column {} of {}, which is not", column.name,
                                column.origin_column, column.origin_table),
                    fmt::format("Add {} to `redact`. Nothing was changed.", column.origin_column));
    }
}

void require_open_key(const std::vector<Column>& key, const std::vector<std::string>& redact) {
    for (const Column& column : key) {
        if (!is_redacted(column, redact)) continue;
        const bool renamed = !column.origin_column.empty() && column.origin_column != column.name;
        throw Error(ExitCode::usage,
                    fmt::format("{}{} is both key and redacted", column.name,
                                renamed ? " (column " + column.origin_column + ")" : ""),
                    "Keys name rows in journal, ledger and messages: take another one, or do not redact it. "
                    "Nothing was changed.");
    }
}

void require_given(const Plan& plan, const std::vector<Column>& given) {
    for (const StepPlan& step : plan.steps) {
        for (const std::string& name : step.step.redact) {
            const bool found = std::any_of(given.begin(), given.end(),
                                           [&](const Column& column) { return is_redacted(column, {name}); });
            if (found) continue;
            throw Error(ExitCode::usage, fmt::format("`redact` names {}, and no query gives it", name),
                        did_you_mean(name, column_names(given), "Take it out of `redact`."))
                .at(plan.definition.path);
        }
    }
}

}  // namespace datachange
