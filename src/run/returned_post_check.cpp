#include "run/returned_post_check.hpp"

#include <algorithm>

#include "core/failpoint.hpp"
#include "definition/names.hpp"
#include "run/plain_statement.hpp"

namespace datachange {

namespace {

const TableColumn* column_named(const TableInfo& table, const std::string& name) {
    const auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                    [&](const TableColumn& column) { return column.name == name; });
    return found == table.columns.end() ? nullptr : &*found;
}

/// Tests compare what is kept with and without it.
bool switched_off() {
    return asked_by_test("DATACHANGE_READ_POST");
}

/// The conditions, one a function; its members are what they look at.
class ReturnedPostCheck {
public:
    ReturnedPostCheck(Target& target, const Step& step, const TableInfo& table,
                      const std::vector<Column>& pre, const CaptureSpec& capture)
        : m_target(target),
          m_engine(target.engine()),
          m_step(step),
          m_table(table),
          m_pre(pre),
          m_capture(capture) {}

    std::optional<ReturnedPost> check(const Scope& scope) {
        if (switched_off() || m_table.foreign || !has_one_statement()) return std::nullopt;
        if (!post_reads_affected_rows()) return std::nullopt;
        m_post.columns = m_target.describe(in_key_order(m_capture.post, m_capture.identifier), scope);
        if (!post_is_stored_columns() || !identifier_is_unique() || !returns_what_post_reads())
            return std::nullopt;
        const bool converts = m_engine == Engine::sqlite;
        for (const Column& column : m_post.columns) {
            m_post.storage.push_back(converts ? storage_of(column_named(m_table, column.name)->type)
                                              : Storage::exact);
        }
        m_post.tells_origin = m_engine == Engine::postgresql;
        m_post.pre_is_image = pre_reads_same_columns();
        return std::move(m_post);
    }

private:
    bool has_one_statement() const {
        if (m_step.change.size() != 1 || !m_step.watches.empty() || m_capture.returning_none) return false;
        const ChangeStatement& statement = m_step.change.front();
        const bool known = statement.verb == "UPDATE" || statement.verb == "DELETE" || statement.plain_insert;
        return known && statement.has_returning;
    }

    /// @param columns of a statement of the definition: whether they are of our table.
    bool is_of_table(const std::optional<PlainColumns>& columns) const {
        return columns && m_target.has_table(columns->table) &&
               m_target.table(columns->table).id == m_table.id;
    }

    bool post_reads_affected_rows() const {
        return !m_step.post ||
               is_of_table(plain_select_of_affected(*m_step.post, m_engine, m_capture.identifier));
    }

    bool post_is_stored_columns() const {
        return std::all_of(m_post.columns.begin(), m_post.columns.end(), [&](const Column& column) {
            const TableColumn* const own = column_named(m_table, column.name);
            const bool plain = column.origin_table == m_table.id && column.origin_column == column.name;
            return plain && own && !(own->generated && m_engine == Engine::sqlite);
        });
    }

    /// Else post might read rows that nobody has changed.
    bool identifier_is_unique() const {
        if (m_capture.table_key != m_capture.identifier) return false;
        const auto given = [&](const std::string& name) {
            const auto& identifier = m_capture.identifier;
            return std::find(identifier.begin(), identifier.end(), name) != identifier.end();
        };
        return std::any_of(m_table.unique_keys.begin(), m_table.unique_keys.end(),
                           [&](const auto& key) { return std::all_of(key.begin(), key.end(), given); });
    }

    bool returns_what_post_reads() const {
        const ChangeStatement& statement = m_step.change.front();
        const auto returned = plain_returning(statement.sql, m_engine);
        if (!is_of_table(returned)) return false;
        if (returned->names.empty()) return true;
        const auto gives = [&](const std::string& name) {
            return std::any_of(returned->names.begin(), returned->names.end(),
                               [&](const std::string& other) { return same_name(name, other, m_engine); });
        };
        const auto& identifier = m_capture.identifier;
        if (!std::all_of(identifier.begin(), identifier.end(), gives)) return false;
        return statement.verb == "DELETE" ||
               std::all_of(m_post.columns.begin(), m_post.columns.end(),
                           [&](const Column& column) { return gives(column.name); });
    }

    bool pre_reads_same_columns() const {
        if (!is_of_table(plain_select(m_capture.pre, m_engine))) return false;
        return std::all_of(m_post.columns.begin(), m_post.columns.end(), [&](const Column& column) {
            return std::find(m_pre.begin(), m_pre.end(), column) != m_pre.end();
        });
    }

    Target& m_target;
    Engine m_engine;
    const Step& m_step;
    const TableInfo& m_table;
    const std::vector<Column>& m_pre;
    const CaptureSpec& m_capture;
    ReturnedPost m_post;
};

}  // namespace

std::optional<ReturnedPost> returned_post(Target& target, const Step& step, const TableInfo& table,
                                          const std::vector<Column>& pre, const CaptureSpec& capture,
                                          const Scope& scope) {
    return ReturnedPostCheck(target, step, table, pre, capture).check(scope);
}

}  // namespace datachange
