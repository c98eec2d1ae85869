#include "plan/range_safety_postgres.hpp"

#include <pg_query.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "core/text.hpp"
#include "definition/lexer.hpp"
#include "plan/range_safety_tokens.hpp"

namespace datachange {

namespace {

using Json = nlohmann::json;

constexpr const char* batch_function = "datachange_batch";
constexpr const char* affected_function = "datachange_affected";

constexpr std::array level_nodes{"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"};

/// Levels of a parse tree that the parser's own recursion and ours have room for; PostgreSQL's server stops
/// near it, too.
constexpr std::size_t greatest_depth = 5'000;

/// No parse tree is deeper than this: the tokens between two commas, with the deepest of the groups among
/// them.
std::size_t depth_bound(std::string_view sql) {
    struct Open {
        std::size_t tokens = 0;  ///< since the last comma
        std::size_t most = 0;
    };
    std::vector<Open> open(1);
    const auto end_part = [&open] {
        open.back().most = std::max(open.back().most, open.back().tokens);
        open.back().tokens = 0;
    };
    for (const Token& token : lex(sql, Engine::postgresql)) {
        if (token.is(",")) {
            end_part();
        } else if (token.is("(") || token.is("[")) {
            open.emplace_back();
        } else if ((token.is(")") || token.is("]")) && open.size() > 1) {
            end_part();
            const std::size_t inner = open.back().most;
            open.pop_back();
            open.back().tokens += inner + 1;
        } else {
            ++open.back().tokens;
        }
    }
    end_part();
    return open.front().most + open.size();
}

bool fits_the_stack(std::string_view sql) {
    try {
        return depth_bound(sql) <= greatest_depth;
    } catch (const Mistake&) {
        return false;  // what is no tokens is no statement either
    }
}

/// A statement as PostgreSQL's parser takes it, with calls of functions in place of the macros.
class ParsableSql {
public:
    explicit ParsableSql(const SqlTemplate& sql) : m_sql(sql) {
        for (const SqlPiece& piece : sql.pieces) {
            m_begins.push_back(m_text.size());
            m_text += piece.kind == SqlPiece::Kind::text ? piece.text : call(piece);
        }
    }

    /// nullopt if it does not parse, or would be too deep for the stack.
    std::optional<Json> tree() const {
        if (!fits_the_stack(m_text)) return std::nullopt;
        const PgQueryParseResult result = pg_query_parse(m_text.c_str());
        std::optional<Json> tree;
        if (result.error == nullptr) tree = Json::parse(result.parse_tree, nullptr, false);
        pg_query_free_parse_result(result);
        if (tree && tree->is_discarded()) tree.reset();  // bytes that are no JSON text
        return tree;
    }

    /// The place in the definition of a byte of the text.
    SourcePosition position(std::size_t offset) const {
        const auto next = std::upper_bound(m_begins.begin(), m_begins.end(), offset);
        if (next == m_begins.begin()) return m_sql.at;
        const auto piece = static_cast<std::size_t>(next - m_begins.begin()) - 1;
        const SqlPiece& found = m_sql.pieces[piece];
        if (found.kind != SqlPiece::Kind::text) return found.at;
        return position_after(found.at, std::string_view{found.text}.substr(0, offset - m_begins[piece]));
    }

private:
    static std::string call(const SqlPiece& macro) {
        const char* const function = macro.kind == SqlPiece::Kind::batch ? batch_function : affected_function;
        return std::string{function} + "(" + join(macro.arguments, ", ") + ")";
    }

    const SqlTemplate& m_sql;
    std::string m_text;
    std::vector<std::size_t> m_begins;  ///< where each piece begins in the text
};

/// A member of a node, or null.
const Json& member(const Json& node, const char* name) {
    static const Json null;
    if (!node.is_object()) return null;
    const auto found = node.find(name);
    return found == node.end() ? null : *found;
}

std::string text_member(const Json& node, const char* name) {
    const Json& text = member(node, name);
    return text.is_string() ? text.get<std::string>() : "";
}

/// The name in the last String of a list: of pg_catalog.count, "count".
std::string last_name(const Json& list) {
    return list.is_array() && !list.empty() ? text_member(member(list.back(), "String"), "sval") : "";
}

std::optional<std::size_t> first_location(const Json& node) {
    std::optional<std::size_t> first;
    for (const auto& [name, child] : node.items()) {
        std::optional<std::size_t> here;
        if (name == "location" && child.is_number_integer() && child.get<std::int64_t>() >= 0) {
            here = child.get<std::size_t>();
        } else if (child.is_structured()) {
            here = first_location(child);
        }
        if (here && (!first || *here < *first)) first = here;
    }
    return first;
}

/// What makes a level unsafe, and the node that shows where.
struct Finding {
    const char* what = nullptr;
    const Json* node = nullptr;
};

Finding function_finding(const Json& call) {
    if (call.contains("over")) return {"a window function", &call};
    for (const char* mark : {"agg_star", "agg_filter", "agg_distinct", "agg_order", "agg_within_group"}) {
        if (call.contains(mark)) return {"an aggregate", &call};
    }
    const bool aggregate = is_aggregate_function(last_name(member(call, "funcname")), Engine::postgresql);
    return aggregate ? Finding{"an aggregate", &call} : Finding{};
}

bool is_level(const std::string& name, const Json& node) {
    // the sides of a set operation are SelectStmts without the name around them; those of a join are called
    // the same
    if (name == "larg" || name == "rarg") return node.contains("op");
    return std::find(level_nodes.begin(), level_nodes.end(), name) != level_nodes.end();
}

/// Window functions and aggregates of this level, not of those within it.
Finding find_call(const Json& node) {
    for (const auto& [name, child] : node.items()) {
        if (!child.is_structured() || is_level(name, child)) continue;
        Finding found;
        if (name == "FuncCall") found = function_finding(child);
        if (found.what == nullptr) found = find_call(child);
        if (found.what != nullptr) return found;
    }
    return {};
}

Finding level_finding(const Json& level) {
    const std::string operation = text_member(level, "op");
    if (operation == "SETOP_UNION") return {"UNION", &member(level, "rarg")};
    if (operation == "SETOP_INTERSECT") return {"INTERSECT", &member(level, "rarg")};
    if (operation == "SETOP_EXCEPT") return {"EXCEPT", &member(level, "rarg")};
    for (const auto& [clause, what] :
         {std::pair{"groupClause", "GROUP BY"}, std::pair{"havingClause", "HAVING"},
          std::pair{"limitCount", "LIMIT"}, std::pair{"limitOffset", "OFFSET"}}) {
        if (level.contains(clause)) return {what, &level[clause]};
    }
    const Json& distinct = member(level, "distinctClause");  // [{}] is DISTINCT without ON
    if (distinct.is_array() && !distinct.empty() && !distinct[0].empty()) return {"DISTINCT ON", &distinct};
    if (level.contains("windowClause")) return {"a window function", &level["windowClause"]};
    return find_call(level);
}

/// Walks the tree with the query levels that enclose a node, and keeps the first unsafe one around :batch.
///
/// Rows that :batch has picked within a CTE go on to wherever its name stands in FROM; that place is then
/// looked at as if :batch stood there.
class LevelWalk {
public:
    explicit LevelWalk(const Json& tree) {
        std::size_t known = 0;
        do {
            known = m_narrowed.size();
            walk(tree);
        } while (!m_finding.what && m_narrowed.size() > known);
    }

    const Finding& finding() const { return m_finding; }

private:
    void walk(const Json& node) {
        for (const auto& [name, child] : node.items()) {
            if (!child.is_structured() || m_finding.what != nullptr) continue;
            const bool level = is_level(name, child);
            const bool cte = name == "CommonTableExpr";
            if (level) m_levels.push_back(&child);
            if (cte) m_ctes.push_back(text_member(child, "ctename"));
            if (is_narrowed(name, child)) inspect();
            walk(child);
            if (cte) m_ctes.pop_back();
            if (level) m_levels.pop_back();
        }
    }

    bool is_narrowed(const std::string& name, const Json& node) const {
        if (name == "FuncCall") return last_name(member(node, "funcname")) == batch_function;
        return name == "RangeVar" && !node.contains("schemaname") &&
               m_narrowed.contains(text_member(node, "relname"));
    }

    void inspect() {
        m_narrowed.insert(m_ctes.begin(), m_ctes.end());
        for (auto level = m_levels.rbegin(); level != m_levels.rend() && !m_finding.what; ++level) {
            if (m_inspected.insert(*level).second) m_finding = level_finding(**level);
        }
    }

    std::vector<const Json*> m_levels;
    std::vector<std::string> m_ctes;    ///< that enclose the node in hand
    std::set<std::string> m_narrowed;   ///< CTEs whose rows :batch picks
    std::set<const Json*> m_inspected;  ///< levels
    Finding m_finding;
};

}  // namespace

std::optional<RangeObstacle> postgres_range_obstacle(const SqlTemplate& sql) {
    const ParsableSql parsable(sql);
    const std::optional<Json> tree = parsable.tree();
    if (!tree) return range_obstacle_by_tokens(sql, Engine::postgresql);
    const Finding finding = LevelWalk(*tree).finding();
    if (finding.what == nullptr) return std::nullopt;
    const std::optional<std::size_t> location = first_location(*finding.node);
    return RangeObstacle{finding.what, location ? parsable.position(*location) : sql.at};
}

std::optional<std::vector<std::string>> postgres_returning_names(const SqlTemplate& sql) {
    const std::optional<Json> tree = ParsableSql(sql).tree();
    if (!tree) return std::nullopt;
    const Json& statements = member(*tree, "stmts");
    if (!statements.is_array() || statements.empty()) return std::nullopt;
    const Json& statement = member(statements[0], "stmt");
    if (!statement.is_object() || statement.empty()) return std::nullopt;
    const Json& list = member(*statement.begin(), "returningList");
    if (!list.is_array()) return std::nullopt;
    std::vector<std::string> names;
    for (const Json& item : list) {
        const Json& target = member(item, "ResTarget");
        std::string name = text_member(target, "name");
        if (name.empty()) name = last_name(member(member(member(target, "val"), "ColumnRef"), "fields"));
        if (name.empty()) return std::nullopt;
        names.push_back(std::move(name));
    }
    return names;
}

}  // namespace datachange
