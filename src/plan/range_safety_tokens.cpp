#include "plan/range_safety_tokens.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "core/text.hpp"
#include "definition/lexer.hpp"

namespace datachange {

namespace {

/// Those of SQLite and its extensions; min and max aggregate with one argument alone.
const std::set<std::string> sqlite_aggregates{"avg",
                                              "count",
                                              "decimal_sum",
                                              "group_concat",
                                              "json_group_array",
                                              "json_group_object",
                                              "jsonb_group_array",
                                              "jsonb_group_object",
                                              "max",
                                              "median",
                                              "min",
                                              "percentile",
                                              "percentile_cont",
                                              "percentile_disc",
                                              "string_agg",
                                              "sum",
                                              "total"};

/// Those of PostgreSQL 13 to 17, by pg_aggregate and the grammar.
const std::set<std::string> postgres_aggregates{"any_value",
                                                "array_agg",
                                                "avg",
                                                "bit_and",
                                                "bit_or",
                                                "bit_xor",
                                                "bool_and",
                                                "bool_or",
                                                "corr",
                                                "count",
                                                "covar_pop",
                                                "covar_samp",
                                                "every",
                                                "json_agg",
                                                "json_agg_strict",
                                                "json_arrayagg",
                                                "json_object_agg",
                                                "json_object_agg_strict",
                                                "json_object_agg_unique",
                                                "json_object_agg_unique_strict",
                                                "json_objectagg",
                                                "jsonb_agg",
                                                "jsonb_agg_strict",
                                                "jsonb_object_agg",
                                                "jsonb_object_agg_strict",
                                                "jsonb_object_agg_unique",
                                                "jsonb_object_agg_unique_strict",
                                                "max",
                                                "min",
                                                "range_agg",
                                                "range_intersect_agg",
                                                "regr_avgx",
                                                "regr_avgy",
                                                "regr_count",
                                                "regr_intercept",
                                                "regr_r2",
                                                "regr_slope",
                                                "regr_sxx",
                                                "regr_sxy",
                                                "regr_syy",
                                                "stddev",
                                                "stddev_pop",
                                                "stddev_samp",
                                                "string_agg",
                                                "sum",
                                                "var_pop",
                                                "var_samp",
                                                "variance",
                                                "xmlagg"};

constexpr std::size_t nothing = static_cast<std::size_t>(-1);

constexpr std::array query_verbs{"SELECT", "WITH", "VALUES", "INSERT", "UPDATE", "DELETE", "MERGE"};

/// One parenthesis and what stands directly in it; the statement itself is the first.
struct Group {
    std::size_t parent = nothing;  ///< index of the group around it
    std::size_t level = 0;         ///< index of the group that is its query level, which may be itself
    std::string cte;               ///< folded name, where it is the body of a CTE
    bool has_comma = false;        ///< directly in it
    std::size_t close = nothing;   ///< index of the token that closes it
};

/// A statement as groups of tokens, with the macros back in their places.
class GroupedSql {
public:
    GroupedSql(const SqlTemplate& sql, Engine engine) : m_engine(engine) {
        for (const SqlPiece& piece : sql.pieces) add(piece);
        m_groups.push_back({});
        m_group_of.reserve(m_tokens.size());
        std::size_t current = 0;
        for (std::size_t i = 0; i < m_tokens.size(); ++i) {
            if (m_tokens[i].is(")") && m_groups[current].parent != nothing) {
                m_groups[current].close = i;
                current = m_groups[current].parent;
            }
            m_group_of.push_back(current);
            if (m_tokens[i].is(",")) m_groups[current].has_comma = true;
            if (m_tokens[i].is("(")) current = open(i, current);
        }
    }

    const std::vector<Token>& tokens() const { return m_tokens; }
    const std::vector<Group>& groups() const { return m_groups; }
    std::size_t group_of(std::size_t token) const { return m_group_of[token]; }
    bool is_batch(std::size_t token) const { return m_batches.contains(token); }
    /// Index of the group that opens at this parenthesis; nothing if the token is none.
    std::size_t opened_at(std::size_t token) const {
        const auto found = std::lower_bound(m_opened_at.begin(), m_opened_at.end(), token);
        return found == m_opened_at.end() || *found != token
                   ? nothing
                   : static_cast<std::size_t>(found - m_opened_at.begin()) + 1;
    }

    /// Of a name token, without regard to case.
    std::string folded_name(std::size_t i) const { return lower(bare_name(m_tokens[i], m_engine)); }

    bool is_word(std::size_t i, std::string_view keyword) const {
        return i < m_tokens.size() && m_tokens[i].is_word(keyword);
    }

private:
    void add(const SqlPiece& piece) {
        if (piece.kind == SqlPiece::Kind::batch) m_batches.insert(m_tokens.size());
        if (piece.kind != SqlPiece::Kind::text) {
            m_tokens.push_back({TokenKind::parameter, 0, piece.text, piece.at});
            return;
        }
        for (const Token& token : lex(piece.text, m_engine, piece.at)) {
            if (!token.is_comment()) m_tokens.push_back(token);
        }
    }

    std::size_t open(std::size_t parenthesis, std::size_t parent) {
        const std::size_t first = parenthesis + 1;
        const bool query = std::any_of(query_verbs.begin(), query_verbs.end(),
                                       [&](const char* verb) { return is_word(first, verb); });
        const std::size_t level = query ? m_groups.size() : m_groups[parent].level;
        m_groups.push_back({parent, level, cte_name(parenthesis), false, nothing});
        m_opened_at.push_back(parenthesis);
        return m_groups.size() - 1;
    }

    /// Of `name AS (`, `name (columns) AS NOT MATERIALIZED (`.
    std::string cte_name(std::size_t parenthesis) const {
        std::size_t i = parenthesis;
        if (i > 0 && is_word(i - 1, "MATERIALIZED")) --i;
        if (i > 0 && is_word(i - 1, "NOT")) --i;
        if (i == 0 || !is_word(i - 1, "AS")) return "";
        --i;
        if (i > 0 && m_tokens[i - 1].is(")")) {
            while (i > 0 && !m_tokens[i - 1].is("(")) --i;
            if (i > 0) --i;
        }
        return i > 0 && m_tokens[i - 1].is_name() ? folded_name(i - 1) : "";
    }

    Engine m_engine;
    std::vector<Token> m_tokens;
    std::set<std::size_t> m_batches;  ///< indices of the tokens that stand for :batch
    std::vector<Group> m_groups;
    std::vector<std::size_t> m_opened_at;  ///< of group n + 1
    std::vector<std::size_t> m_group_of;
};

class TokenWalk {
public:
    TokenWalk(const GroupedSql& sql, Engine engine) : m_sql(sql), m_engine(engine) {
        std::size_t known = 0;
        do {
            known = m_narrowed.size();
            for (std::size_t i = 0; i < m_sql.tokens().size() && !m_obstacle; ++i) {
                if (is_narrowed(i)) inspect(i);
            }
        } while (!m_obstacle && m_narrowed.size() > known);
    }

    const std::optional<RangeObstacle>& obstacle() const { return m_obstacle; }

private:
    /// :batch itself, or the name of a CTE whose rows it picks.
    bool is_narrowed(std::size_t i) const {
        const Token& token = m_sql.tokens()[i];
        return m_sql.is_batch(i) || (token.is_name() && m_narrowed.contains(m_sql.folded_name(i)));
    }

    /// Looks at the query levels around a token, from the inside outward.
    void inspect(std::size_t token) {
        for (std::size_t g = m_sql.group_of(token); g != nothing && !m_obstacle;
             g = m_sql.groups()[g].parent) {
            const Group& group = m_sql.groups()[g];
            if (!m_inspected.insert(g).second) return;  // and so have been those around it
            if (!group.cte.empty()) m_narrowed.insert(group.cte);
            if (group.level == g) inspect_level(g);
        }
    }

    void inspect_level(std::size_t level) {
        for (std::size_t i = 0; i < m_sql.tokens().size() && !m_obstacle; ++i) {
            if (m_sql.groups()[m_sql.group_of(i)].level != level) continue;
            if (const char* what = obstacle_at(i)) m_obstacle = RangeObstacle{what, m_sql.tokens()[i].at};
        }
    }

    const char* obstacle_at(std::size_t i) const {
        if (m_sql.is_word(i, "GROUP") && m_sql.is_word(i + 1, "BY")) return "GROUP BY";
        for (const char* keyword : {"HAVING", "LIMIT", "UNION", "INTERSECT", "EXCEPT"}) {
            if (m_sql.is_word(i, keyword)) return keyword;
        }
        // SQLite has OFFSET behind LIMIT alone, and takes it for a name elsewhere
        if (m_engine == Engine::postgresql) {
            if (m_sql.is_word(i, "OFFSET")) return "OFFSET";
            if (m_sql.is_word(i, "FETCH")) return "LIMIT";
            if (m_sql.is_word(i, "DISTINCT") && m_sql.is_word(i + 1, "ON")) return "DISTINCT ON";
        }
        const std::vector<Token>& tokens = m_sql.tokens();
        const bool calls = tokens[i].is_name() && i + 1 < tokens.size() && tokens[i + 1].is("(");
        return calls ? obstacle_of_call(m_sql.folded_name(i), m_sql.groups()[m_sql.opened_at(i + 1)])
                     : nullptr;
    }

    /// OVER, FILTER and WITHIN are keywords behind a call alone.
    const char* obstacle_of_call(const std::string& function, const Group& arguments) const {
        const std::size_t behind = arguments.close == nothing ? nothing : arguments.close + 1;
        if (m_sql.is_word(behind, "OVER")) return "a window function";
        if (m_sql.is_word(behind, "FILTER") || m_sql.is_word(behind, "WITHIN")) return "an aggregate";
        const bool scalar = (function == "min" || function == "max") && arguments.has_comma;
        return is_aggregate_function(function, m_engine) && !scalar ? "an aggregate" : nullptr;
    }

    const GroupedSql& m_sql;
    Engine m_engine;
    std::set<std::string> m_narrowed;   ///< CTEs whose rows :batch picks
    std::set<std::size_t> m_inspected;  ///< groups
    std::optional<RangeObstacle> m_obstacle;
};

}  // namespace

bool is_aggregate_function(const std::string& name, Engine engine) {
    return engine == Engine::postgresql ? postgres_aggregates.contains(name)
                                        : sqlite_aggregates.contains(name);
}

std::optional<RangeObstacle> range_obstacle_by_tokens(const SqlTemplate& sql, Engine engine) {
    try {
        const GroupedSql grouped(sql, engine);
        return TokenWalk(grouped, engine).obstacle();
    } catch (const Mistake&) {
        return std::nullopt;
    }
}

}  // namespace datachange
