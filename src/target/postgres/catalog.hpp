#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/row_set.hpp"
#include "target/postgres/connection.hpp"

namespace datachange::postgres {

/// How a type's output becomes the exact form of a value.
struct Type {
    enum class Form { plain, boolean, integer, timestamptz, bytea, domain, array, range, multirange };
    std::string name;
    Form form = Form::plain;
    Oid inner = 0;  ///< of domains, arrays, ranges and multiranges
};

/// What is known of a statement's result before its rows are looked at.
struct Layout {
    struct Reader {
        ValueKind kind;
        const Type* change;  ///< by which the text has to be changed; nullptr: it is as it should be
    };
    std::vector<Column> columns;
    std::vector<Reader> readers;  ///< one a column
};

/// Names and kinds of the types and tables that results refer to by number, asked of the server once and
/// kept: results become RowSets here.
class Catalog {
public:
    explicit Catalog(Connection& connection) : m_connection(connection) {}

    /// Asks anew from here on: another session may be on another server. Layouts are void.
    void forget();
    /// Some table here has children, by inheritance or as partitions.
    bool has_children();
    /// The columns of a result with the names of their types, and where they come from.
    std::vector<Column> columns(const Result& result);
    /// Valid for every result of the same prepared statement, until forget().
    Layout layout(const Result& result);
    /// The whole result, every value in its exact form.
    RowSet rows(const Result& result, const Layout& layout) const;
    /// Adds them to rows that have its columns.
    void append(RowSet& rows, const Result& result, const Layout& layout) const;
    RowSet rows(const Result& result) { return rows(result, layout(result)); }

private:
    struct Table {
        std::string id;
        std::map<int, std::string> columns;  ///< by attnum
    };

    void learn_types(const std::vector<ResultColumn>& columns);
    void add_type(const Result& row_of_pg_type, std::size_t row);
    /// True if there is a timestamptz or a bytea at some depth, so that its text has to be looked at.
    bool must_change(Oid type) const;
    std::string exact_text(const Type& type, std::string_view text) const;
    const Table& table(Oid oid);

    Connection& m_connection;
    std::map<Oid, Type> m_types;
    std::map<Oid, Table> m_tables;
    std::optional<bool> m_has_children;
};

}  // namespace datachange::postgres
