#include "migrate/schema_statements.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/located.hpp"
#include "core/text.hpp"
#include "definition/statement.hpp"
#include "migrate/schema_header.hpp"

namespace datachange {

namespace {

using Code = std::vector<Token>;

template <std::size_t N>
bool is_one_of(const Token& token, const std::array<const char*, N>& keywords) {
    return std::any_of(keywords.begin(), keywords.end(),
                       [&](const char* keyword) { return token.is_word(keyword); });
}

constexpr std::array transaction_verbs{"BEGIN",    "START", "COMMIT",    "END",
                                       "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"};
constexpr std::array session_verbs{"ATTACH", "DETACH",   "SET",        "RESET",   "DISCARD",
                                   "LISTEN", "UNLISTEN", "DEALLOCATE", "PREPARE", "EXECUTE"};

bool word_at(const Code& code, std::size_t i, const char* keyword) {
    return i < code.size() && code[i].is_word(keyword);
}

bool has_word(const Code& code, const char* keyword) {
    return std::any_of(code.begin(), code.end(), [&](const Token& token) { return token.is_word(keyword); });
}

[[noreturn]] void refuse(const Token& token, const std::string& what, const std::string& hint) {
    throw Mistake(token.at, fmt::format("{} is not allowed in a schema migration", what), hint);
}

/// What a comment of the file says that cannot be let pass.
void check_comment(const Token& token, bool before_statements) {
    using Kind = SchemaComment::Kind;
    const auto comment = read_schema_comment(token.text);
    if (!comment) return;
    switch (comment->kind) {
        case Kind::transaction:
            if (before_statements) return;
            throw Mistake(token.at, "this line stands behind a statement, and would mean nothing",
                          "Move it before the first statement.");
        case Kind::wrong_value:
            throw Mistake(token.at, fmt::format("a header line is not written so: {}", token.text),
                          "It reads `-- transaction: no` or `-- transaction: yes`, and nothing behind it.");
        case Kind::near:
            throw Mistake(token.at, fmt::format("unknown header key \"{}\"", comment->key),
                          "did you mean transaction?");
        case Kind::audit:
            throw Mistake(token.at, fmt::format("this is a definition: it has the section {}", comment->key),
                          "Definitions stand in the folder of --dir, and are run with their evidence.");
        case Kind::down_part:
            throw Mistake(
                token.at, "the part for going back would be executed as well",
                "Leave only the part that goes forward in the file; what takes it back is a migration of "
                "its own.");
    }
}

void refuse_session(const Token& verb, const SchemaFile& file) {
    if (verb.is_word("SET") && file.transactional) {
        refuse(verb, "SET for the whole session",
               "SET LOCAL holds until the end of the file; else put settings on the role or the connection "
               "URL.");
    }
    if (is_one_of(verb, session_verbs)) {
        refuse(verb, upper(verb.text),
               "The session stays as it is; put settings on the role or the connection URL.");
    }
}

/// Pragmas that are part of the file, or that hold for the transaction alone.
void check_pragma(const Code& code, const SchemaFile& file) {
    constexpr std::array always{"user_version", "application_id", "foreign_key_check"};
    constexpr std::array alone{"journal_mode", "auto_vacuum", "optimize"};
    const auto named = std::find_if(code.begin() + 1, code.end(),
                                    [](const Token& token) { return token.is("=") || token.is("("); });
    const std::string name = lower((named - 1)->text);
    const auto is = [&](const char* known) { return name == known; };
    if (std::any_of(always.begin(), always.end(), is)) return;
    const bool known_alone = std::any_of(alone.begin(), alone.end(), is);
    if (known_alone && !file.transactional) return;
    if (known_alone) {
        refuse(code.front(), "PRAGMA " + name,
               "It does nothing in a transaction: give it a file of its own that says `-- transaction: no`.");
    }
    if (name == "foreign_keys" || name == "defer_foreign_keys") {
        refuse(code.front(), "PRAGMA " + name,
               file.transactional
                   ? "Leave it out: the file runs without foreign keys being enforced, and all of them "
                     "are checked before COMMIT."
                   : "Leave it and `-- transaction: no` out: a file that is one transaction runs "
                     "without foreign keys being enforced, and all of them are checked before COMMIT.");
    }
    refuse(code.front(), "PRAGMA " + name,
           fmt::format("The session stays as it is. Allowed are {}.",
                       "user_version and application_id, and with "
                       "`-- transaction: no` journal_mode, auto_vacuum and optimize"));
}

void check_verb(const Code& code, const SchemaFile& file) {
    const Token& verb = code.front();
    const bool second_phase = verb.is_word("PREPARE") && word_at(code, 1, "TRANSACTION");
    if (is_one_of(verb, transaction_verbs) || second_phase) {
        refuse(
            verb, second_phase ? "PREPARE TRANSACTION" : upper(verb.text),
            file.transactional
                ? "The file is one transaction, which is opened and ended around it."
                : "Under `-- transaction: no` each statement stands alone. Leave it out, or make two files.");
    }
    if (verb.is_word("SET") && word_at(code, 1, "CONSTRAINTS")) return;
    if (verb.is_word("SET") && word_at(code, 1, "LOCAL") && file.transactional) return;
    refuse_session(verb, file);
    if (verb.is_word("PRAGMA")) check_pragma(code, file);
    if (verb.is_word("COPY") && (has_word(code, "STDIN") || has_word(code, "STDOUT"))) {
        refuse(verb, "COPY from or to the client", "Use INSERT.");
    }
}

/// The keyword in CREATE INDEX CONCURRENTLY and the like, where it is no name.
const Token* concurrently(const Code& code) {
    if (!word_at(code, 0, "CREATE") && !word_at(code, 0, "DROP") && !word_at(code, 0, "REINDEX"))
        return nullptr;
    constexpr std::array kinds{"INDEX", "TABLE", "SCHEMA", "DATABASE"};
    for (std::size_t i = 1; i < code.size(); ++i) {
        if (code[i].is_word("CONCURRENTLY") && is_one_of(code[i - 1], kinds)) return &code[i];
    }
    return nullptr;
}

void check_outside_transaction(const Code& code, const SchemaFile& file) {
    if (!file.transactional) return;
    const char* const hint =
        "It cannot run in a transaction: give it a file of its own that says `-- transaction: no` before it.";
    if (code.front().is_word("VACUUM")) refuse(code.front(), "VACUUM", hint);
    if (const Token* const word = concurrently(code)) refuse(*word, "CONCURRENTLY", hint);
}

void check_functions(const Code& code) {
    for (std::size_t i = 0; i + 1 < code.size(); ++i) {
        if (!code[i].is_word("SET_CONFIG") || !code[i + 1].is("(")) continue;
        refuse(code[i], "set_config()",
               "The session stays as it is; put settings on the role or the connection URL.");
    }
}

/// Statements that make or drop what holds no rows, and tables that are empty at first.
bool keeps_foreign_keys(const Code& code) {
    if (word_at(code, 0, "CREATE") || word_at(code, 0, "ANALYZE") || word_at(code, 0, "REINDEX")) return true;
    return word_at(code, 0, "DROP") &&
           (word_at(code, 1, "INDEX") || word_at(code, 1, "VIEW") || word_at(code, 1, "TRIGGER"));
}

std::string role_taken_back_by(const Code& code) {
    if (!word_at(code, 0, "SET") || !word_at(code, 1, "LOCAL")) return "";
    if (word_at(code, 2, "ROLE")) return "RESET ROLE";
    const bool user = word_at(code, 2, "SESSION_AUTHORIZATION") ||
                      (word_at(code, 2, "SESSION") && word_at(code, 3, "AUTHORIZATION"));
    return user ? "RESET SESSION AUTHORIZATION" : "";
}

SchemaStatement checked(const Statement& statement, const SchemaFile& file) {
    const Code& code = statement.code;
    check_verb(code, file);
    check_outside_transaction(code, file);
    check_functions(code);
    const std::size_t begin = statement.tokens.front().offset;
    SchemaStatement schema;
    schema.sql = file.text.substr(begin, statement.tokens.back().end() - begin);
    schema.at = statement.at();
    schema.keeps_foreign_keys = keeps_foreign_keys(code);
    schema.builds_index_concurrently = concurrently(code) != nullptr && !word_at(code, 0, "DROP");
    schema.taken_back_by = role_taken_back_by(code);
    return schema;
}

std::vector<SchemaStatement> take_apart(const SchemaFile& file, Engine engine) {
    if (const std::size_t nul = file.text.find('\0'); nul != std::string::npos) {
        throw Mistake(position_after({1, 1}, std::string_view{file.text}.substr(0, nul)),
                      "a NUL byte stands here", "A schema migration is text; save it as UTF-8.");
    }
    const std::vector<Token> tokens = lex(file.text, engine);
    bool before_statements = true;
    for (const Token& token : tokens) {
        if (token.kind == TokenKind::meta_command) {
            throw Mistake(token.at, "psql commands are not supported: " + std::string{trim(token.text)},
                          "A schema migration is plain SQL.");
        }
        if (token.kind == TokenKind::line_comment && begins_line(file.text, token.offset))
            check_comment(token, before_statements);
        before_statements = before_statements && (token.is_comment() || token.is(";"));
    }
    std::vector<SchemaStatement> statements;
    for (const Statement& statement : split_statements(tokens, engine))
        statements.push_back(checked(statement, file));
    if (!statements.empty()) return statements;
    throw Mistake({1, 1}, "the schema migration has no statement", "Write one, or remove the file.");
}

}  // namespace

std::vector<SchemaStatement> schema_statements(const SchemaFile& file, Engine engine) {
    try {
        return take_apart(file, engine);
    } catch (Mistake& mistake) {
        mistake.at(place_text(file.path, mistake.position()));
        throw;
    }
}

}  // namespace datachange
