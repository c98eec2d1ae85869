#include "target/postgres/catalog.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/timings.hpp"
#include "target/postgres/value_text.hpp"

namespace datachange::postgres {

namespace {

constexpr Oid bool_oid = 16, bytea_oid = 17, int8_oid = 20, int2_oid = 21, int4_oid = 23,
              timestamptz_oid = 1184;
constexpr int version_with_multiranges = 140000;

Oid oid_of(const std::string& text) {
    return static_cast<Oid>(std::stoul(text));
}

std::string oid_array(const std::vector<Oid>& oids) {
    return fmt::format("{{{}}}", fmt::join(oids, ","));
}

}  // namespace

void Catalog::forget() {
    m_types.clear();
    m_tables.clear();
    m_has_children.reset();
}

bool Catalog::has_children() {
    if (!m_has_children) {
        const Result found = m_connection.execute("SELECT EXISTS (SELECT FROM pg_catalog.pg_inherits)");
        m_has_children = found.view(0, 0) == "t";
    }
    return *m_has_children;
}

std::vector<Column> Catalog::columns(const Result& result) {
    const std::vector<ResultColumn> described = result.columns();
    learn_types(described);
    std::vector<Column> columns;
    columns.reserve(described.size());
    for (const ResultColumn& column : described) {
        columns.push_back({column.name, m_types.at(column.type).name, "", ""});
        if (column.table == 0) continue;
        const Table& origin = table(column.table);
        const auto name = origin.columns.find(column.attribute);
        if (name == origin.columns.end()) continue;
        columns.back().origin_table = origin.id;
        columns.back().origin_column = name->second;
    }
    return columns;
}

Layout Catalog::layout(const Result& result) {
    Layout layout{columns(result), {}};
    for (const ResultColumn& column : result.columns()) {
        const Type& type = m_types.at(column.type);
        const ValueKind kind = type.form == Type::Form::boolean   ? ValueKind::boolean
                               : type.form == Type::Form::integer ? ValueKind::integer
                                                                  : ValueKind::text;
        layout.readers.push_back({kind, must_change(column.type) ? &type : nullptr});
    }
    return layout;
}

namespace {

/// Bytes of all rows, guessed from the first ones and rather too many: growing would copy what is there.
std::size_t expected_bytes(const Result& result) {
    constexpr std::size_t looked_at = 32;
    const std::size_t rows = std::min(result.size(), looked_at);
    std::size_t bytes = 0;
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < result.width(); ++column) {
            bytes += result.view(row, column).size();
        }
    }
    return rows == result.size() ? bytes : bytes * result.size() / rows * 9 / 8;
}

}  // namespace

RowSet Catalog::rows(const Result& result, const Layout& layout) const {
    const PhaseTimer timer(Phase::decode);
    RowSet rows{layout.columns};
    rows.reserve(result.size(), expected_bytes(result));
    append(rows, result, layout);
    return rows;
}

void Catalog::append(RowSet& rows, const Result& result, const Layout& layout) const {
    const std::size_t size = result.size(), width = layout.readers.size();
    for (std::size_t row = 0; row < size; ++row) {
        for (std::size_t column = 0; column < width; ++column) {
            const Layout::Reader& reader = layout.readers[column];
            const std::string_view text = result.view(row, column);
            if (text.empty() && result.is_null(row, column)) {
                rows.add(ValueKind::null, {});
            } else if (reader.change) {
                rows.add(reader.kind, exact_text(*reader.change, text));
            } else {
                rows.add(reader.kind, text);
            }
        }
    }
}

bool Catalog::must_change(Oid oid) const {
    const auto found = m_types.find(oid);
    if (found == m_types.end()) return false;
    const Type& type = found->second;
    return type.form == Type::Form::timestamptz || type.form == Type::Form::bytea || must_change(type.inner);
}

std::string Catalog::exact_text(const Type& type, std::string_view text) const {
    const auto inner = [&](std::string_view part) { return exact_text(m_types.at(type.inner), part); };
    switch (type.form) {
        case Type::Form::timestamptz:
            return utc_timestamp(text);
        case Type::Form::bytea:
            return hex_bytea(text);
        case Type::Form::domain:
            return inner(text);
        case Type::Form::array:
            return change_array(text, inner);
        case Type::Form::range:
            return change_range(text, inner);
        case Type::Form::multirange:
            return change_multirange(text, inner);
        default:
            return std::string{text};
    }
}

void Catalog::learn_types(const std::vector<ResultColumn>& columns) {
    std::vector<Oid> wanted;
    for (const ResultColumn& column : columns) wanted.push_back(column.type);
    for (;;) {
        std::erase_if(wanted, [&](Oid oid) { return oid == 0 || m_types.contains(oid); });
        if (wanted.empty()) return;
        const bool multiranges = m_connection.server_version() >= version_with_multiranges;
        const Result found = m_connection.execute(
            std::string{
                "SELECT t.oid, pg_catalog.format_type(t.oid, -1), t.typtype, t.typbasetype, "
                "CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END, "
                "coalesce((SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid), 0), "} +
                (multiranges ? "coalesce((SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngmultitypid "
                               "= t.oid), 0) "
                             : "0 ") +
                "FROM pg_catalog.pg_type t WHERE t.oid = ANY($1::pg_catalog.oid[])",
            {oid_array(wanted)});
        for (const Oid oid : wanted) m_types[oid].name = "unknown";  // dropped meanwhile
        wanted.assign(found.size(), 0);
        for (std::size_t row = 0; row < found.size(); ++row) {
            add_type(found, row);
            wanted[row] = m_types.at(oid_of(found.text(row, 0))).inner;
        }
    }
}

void Catalog::add_type(const Result& found, std::size_t row) {
    const Oid oid = oid_of(found.text(row, 0));
    const Oid base = oid_of(found.text(row, 3)), element = oid_of(found.text(row, 4));
    const Oid subtype = oid_of(found.text(row, 5)), range = oid_of(found.text(row, 6));
    using Form = Type::Form;
    Type type{found.text(row, 1), Form::plain, 0};
    if (oid == bool_oid) {
        type.form = Form::boolean;
    } else if (oid == int2_oid || oid == int4_oid || oid == int8_oid) {
        type.form = Form::integer;
    } else if (oid == timestamptz_oid) {
        type.form = Form::timestamptz;
    } else if (oid == bytea_oid) {
        type.form = Form::bytea;
    } else if (base != 0) {  // results give a domain's base type, but arrays and ranges may be of domains
        type = {type.name, Form::domain, base};
    } else if (element != 0) {
        type = {type.name, Form::array, element};
    } else if (subtype != 0) {
        type = {type.name, Form::range, subtype};
    } else if (range != 0) {
        type = {type.name, Form::multirange, range};
    }
    m_types[oid] = std::move(type);
}

const Catalog::Table& Catalog::table(Oid oid) {
    const auto known = m_tables.find(oid);
    if (known != m_tables.end()) return known->second;
    const Result found = m_connection.execute(
        "SELECT n.nspname || '.' || r.relname, a.attnum, a.attname FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_class r ON r.oid = coalesce(pg_catalog.pg_partition_root(c.oid), c.oid) "
        "JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace "
        "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.oid = $1::pg_catalog.oid AND NOT a.attisdropped",
        {std::to_string(oid)});
    Table table;
    for (std::size_t row = 0; row < found.size(); ++row) {
        table.id = found.text(row, 0);
        table.columns[std::stoi(found.text(row, 1))] = found.text(row, 2);
    }
    return m_tables.emplace(oid, std::move(table)).first->second;
}

}  // namespace datachange::postgres
