#include "definition/statement.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

namespace datachange {

namespace {

using Code = std::span<const Token>;

template <std::size_t N>
bool is_one_of(const Token& token, const std::array<const char*, N>& keywords) {
    return std::any_of(keywords.begin(), keywords.end(),
                       [&](const char* keyword) { return token.is_word(keyword); });
}

constexpr std::array changing_verbs{"INSERT", "UPDATE",   "DELETE", "REPLACE",
                                    "MERGE",  "TRUNCATE", "DO",     "CALL"};

/// The index behind the parenthesis that closes the one at `open`.
std::size_t behind_group(Code code, std::size_t open) {
    std::size_t depth = 0;
    for (std::size_t i = open; i < code.size(); ++i) {
        if (code[i].is("(") || code[i].is("[")) ++depth;
        if ((code[i].is(")") || code[i].is("]")) && --depth == 0) return i + 1;
    }
    return code.size();
}

bool word_at(Code code, std::size_t i, std::string_view keyword) {
    return i < code.size() && code[i].is_word(keyword);
}

/// Behind the SEARCH and CYCLE clauses that may follow a recursive CTE; their lists of columns hold commas.
std::size_t behind_search_and_cycle(Code code, std::size_t i) {
    for (const auto& [clause, last] : {std::pair{"SEARCH", "SET"}, std::pair{"CYCLE", "USING"}}) {
        if (!word_at(code, i, clause)) continue;
        while (i < code.size() && !code[i].is_word(last)) ++i;
        i += 2;
    }
    return i;
}

struct MainStatement {
    std::size_t begin = 0;              ///< index of its verb
    std::optional<Token> changing_cte;  ///< of the CTEs before it
};

MainStatement find_main(Code code);

/// Walks over `WITH name (columns) AS MATERIALIZED (body), ...`, where names may be keywords such as DELETE.
std::size_t behind_with(Code code, std::size_t with, std::optional<Token>& changing_cte) {
    std::size_t i = with + 1;
    if (word_at(code, i, "RECURSIVE")) ++i;
    for (;;) {
        ++i;  // the name
        if (i < code.size() && code[i].is("(")) i = behind_group(code, i);
        while (i < code.size() && !code[i].is("(")) ++i;
        const std::size_t end = behind_group(code, i);
        if (i < end && end <= code.size() && !changing_cte) {
            const Code body = code.subspan(i + 1, end - i - 2);
            const MainStatement inner = find_main(body);
            changing_cte = inner.changing_cte;
            if (inner.begin < body.size() && is_one_of(body[inner.begin], changing_verbs))
                changing_cte = body[inner.begin];
        }
        i = behind_search_and_cycle(code, end);
        if (i >= code.size() || !code[i].is(",")) return std::min(i, code.size());
        ++i;
    }
}

/// The verb that decides: behind WITH and the parentheses that a query may stand in.
MainStatement find_main(Code code) {
    MainStatement main;
    while (main.begin < code.size()) {
        if (code[main.begin].is("(")) {
            ++main.begin;
        } else if (code[main.begin].is_word("WITH")) {
            main.begin = behind_with(code, main.begin, main.changing_cte);
        } else {
            break;
        }
    }
    return main;
}

/// The indices of the tokens from `begin` on that stand in no parentheses.
std::vector<std::size_t> own_level(Code code, std::size_t begin) {
    std::vector<std::size_t> level;
    for (std::size_t i = begin; i < code.size();) {
        if (code[i].is(")")) break;  // of a query that stands in parentheses as a whole
        level.push_back(i);
        i = code[i].is("(") || code[i].is("[") ? behind_group(code, i) : i + 1;
    }
    return level;
}

/// A keyword, and no column or label of that name.
bool is_keyword(Code code, std::size_t i, std::string_view keyword) {
    return code[i].is_word(keyword) && (i == 0 || !(code[i - 1].is(".") || code[i - 1].is_word("AS")));
}

/// INSERT OR REPLACE and ON CONFLICT ... DO UPDATE change rows that are there.
bool inserts_only(Code code, std::size_t verb, const std::vector<std::size_t>& level) {
    if (!code[verb].is_word("INSERT")) return false;
    if (word_at(code, verb + 1, "OR") && word_at(code, verb + 2, "REPLACE")) return false;
    return std::none_of(level.begin(), level.end(), [&](std::size_t i) {
        return code[i].is_word("DO") && word_at(code, i + 1, "UPDATE");
    });
}

constexpr std::array transaction_verbs{"BEGIN",    "START", "COMMIT",    "END",
                                       "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"};
constexpr std::array connection_verbs{"ATTACH",  "DETACH", "PRAGMA",   "VACUUM", "SET",       "RESET",
                                      "DISCARD", "LISTEN", "UNLISTEN", "NOTIFY", "DEALLOCATE"};

[[noreturn]] void refuse(const Token& token, const std::string& what, const std::string& hint) {
    throw Mistake(token.at, fmt::format("{} is not allowed in a definition", what), hint);
}

void refuse_verb(const Token& verb, Code code) {
    const std::string name = upper(verb.text);
    const bool second_phase = verb.is_word("PREPARE") && word_at(code, 1, "TRANSACTION");
    if (is_one_of(verb, transaction_verbs) || second_phase) {
        refuse(verb, second_phase ? "PREPARE TRANSACTION" : name,
               "The transaction is opened and ended around the definition; batches have one each.");
    }
    if (verb.is_word("SET") && word_at(code, 1, "CONSTRAINTS")) return;
    if (is_one_of(verb, connection_verbs)) {
        refuse(
            verb, name,
            "The database and its session stay as they are; put settings on the role or the connection URL.");
    }
    if (verb.is_word("COPY")) refuse(verb, name, "Use INSERT, with a table that holds what is to be loaded.");
    if (verb.is_word("EXPLAIN"))
        refuse(verb, name, "Write the statement itself; `datachange check` has it planned.");
    if (verb.is_word("EXECUTE") || verb.is_word("PREPARE")) {
        refuse(verb, name, "Write the statement itself; what is prepared elsewhere cannot be audited.");
    }
}

}  // namespace

StatementKind classify(const Statement& statement) {
    const Code code{statement.code};
    const MainStatement main = find_main(code);
    StatementKind kind;
    kind.changing_cte = main.changing_cte;
    kind.changes_data = main.changing_cte.has_value();
    if (main.begin >= code.size()) {
        kind.verb = upper(code.front().text);
        return kind;
    }
    const Token& verb = code[main.begin];
    kind.verb = upper(verb.text);
    if (is_one_of(verb, changing_verbs)) kind.changes_data = true;
    const std::vector<std::size_t> level = own_level(code, main.begin);
    kind.plain_insert = inserts_only(code, main.begin, level);
    for (const std::size_t i : level) {
        if (!kind.returning && kind.changes_data && is_keyword(code, i, "RETURNING"))
            kind.returning = code[i];
        if (!kind.into && verb.is_word("SELECT") && is_keyword(code, i, "INTO")) kind.into = code[i];
    }
    return kind;
}

void refuse_unfit(const Statement& statement) {
    const Code code{statement.code};
    const Token& verb = code[std::min(find_main(code).begin, code.size() - 1)];
    refuse_verb(code.front(), code);
    for (std::size_t i = 0; i + 1 < code.size(); ++i) {
        const bool calls = code[i + 1].is("(") && code[i].is_name();
        if (calls && bare_name(code[i], Engine::postgresql) == "set_config") {
            refuse(code[i], "set_config()",
                   "The session stays as it is; put settings on the role or the connection URL.");
        }
        const bool writes = code[i].is_word("INSERT") || code[i].is_word("UPDATE");
        if (writes && code[i + 1].is_word("OR") && word_at(code, i + 2, "ROLLBACK")) {
            refuse(code[i + 1], "OR ROLLBACK",
                   "It would end the transaction; OR ABORT, the default, ends the statement alone.");
        }
    }
    const bool of_index = verb.is_word("CREATE") || verb.is_word("DROP") || verb.is_word("REINDEX");
    for (std::size_t i = 1; of_index && i < code.size(); ++i) {
        if (!is_keyword(code, i, "CONCURRENTLY")) continue;
        refuse(code[i], "CONCURRENTLY",
               "It cannot run in a transaction; make the index before or after, by hand.");
    }
}

}  // namespace datachange
