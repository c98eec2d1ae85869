#include "cli/config.hpp"

#include <cstdlib>
#include <map>
#include <set>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "core/duration.hpp"
#include "core/text.hpp"
#include "datachange/error.hpp"

namespace datachange {

namespace {

/// One table of the file. Who reads it takes each key that it knows, and then refuses the rest.
class ConfigTable {
public:
    /// @param name "" for the file itself, "target.eu-prod"
    ConfigTable(const std::string& path, std::string name, const toml::table& table)
        : m_path(path), m_name(std::move(name)), m_table(table) {}

    void take(const char* key, std::string& value) {
        if (const toml::node* node = find(key)) value = text(key, *node);
    }
    void take(const char* key, std::optional<std::string>& value) {
        if (const toml::node* node = find(key)) value = text(key, *node);
    }
    void take_rows(const char* key, std::optional<std::uint64_t>& value) {
        const toml::node* node = find(key);
        if (node == nullptr) return;
        const auto number = node->value_exact<std::int64_t>();
        if (!number || *number <= 0)
            refuse(*node, fmt::format("{} must be a positive number of rows", key),
                   fmt::format("Write {} = 5000.", key));
        value = static_cast<std::uint64_t>(*number);
    }
    void take_people(const char* key, std::optional<unsigned>& value) {
        const toml::node* node = find(key);
        if (node == nullptr) return;
        const auto number = node->value_exact<std::int64_t>();
        if (!number || *number < 0 || *number > 100)
            refuse(*node, fmt::format("{} must be a number of people", key),
                   fmt::format("Write {} = 1.", key));
        value = static_cast<unsigned>(*number);
    }
    /// 0.1, 10 or "10%"
    void take_part(const char* key, std::optional<double>& value) {
        const toml::node* node = find(key);
        if (node == nullptr) return;
        value = node->value<double>();
        if (const auto percent = node->value_exact<std::string>(); percent && percent->ends_with('%')) {
            const std::string number = percent->substr(0, percent->size() - 1);
            char* end = nullptr;
            const double read = std::strtod(number.c_str(), &end);
            if (!number.empty() && *end == '\0') value = read / 100;
        }
        if (!value || *value < 0)
            refuse(*node, fmt::format("{} must be a part of the rows", key),
                   fmt::format("Write {0} = 0.1 or {0} = \"10%\".", key));
    }
    void take_duration(const char* key, std::chrono::milliseconds& value) {
        const toml::node* node = find(key);
        if (node == nullptr) return;
        const auto duration = parse_duration(node->value_exact<std::string>().value_or(""));
        if (!duration || duration->count() == 0)
            refuse(*node, fmt::format("{} must be a duration", key), fmt::format("Write {} = \"10s\".", key));
        value = *duration;
    }

    /// The tables beneath [key], by name.
    std::vector<ConfigTable> tables(const char* key) {
        const toml::node* node = find(key);
        if (node == nullptr) return {};
        if (!node->is_table())
            refuse(*node, fmt::format("{} must be tables", key), fmt::format("Write [{}.NAME].", key));
        std::map<std::pair<unsigned, unsigned>, ConfigTable> in_order;
        for (const auto& [name, beneath] : *node->as_table()) {
            const std::string whole = fmt::format("{}.{}", key, std::string_view{name.str()});
            if (!beneath.is_table())
                refuse(beneath, fmt::format("{} must be a table", whole),
                       fmt::format("Write [{}.NAME].", key));
            const auto at = beneath.source().begin;
            in_order.emplace(std::pair{at.line, at.column}, ConfigTable(m_path, whole, *beneath.as_table()));
        }
        std::vector<ConfigTable> tables;
        for (const auto& [place, table] : in_order) tables.push_back(table);
        return tables;
    }
    bool is_table(const char* key) const {
        return m_table.get(key) != nullptr && m_table.get(key)->is_table();
    }
    std::optional<ConfigTable> table(const char* key) {
        const toml::node* node = find(key);
        if (node == nullptr) return std::nullopt;
        if (!node->is_table())
            refuse(*node, fmt::format("{} must be a table", key), fmt::format("Write [{}].", key));
        return ConfigTable(m_path, key, *node->as_table());
    }
    /// The elements of an array of texts and tables; a text stands for a table that has it under `url`.
    std::vector<ConfigTable> elements(const char* key, std::vector<toml::table>& kept) {
        const toml::node* node = find(key);
        if (node == nullptr) return {};
        const toml::array* array = node->as_array();
        if (array == nullptr || array->empty())
            refuse(*node, fmt::format("{} must be a list of databases", key),
                   fmt::format("Write {} = [\"postgresql://...\", {{ url-env = \"SHARD_2_URL\" }}].", key));
        kept.reserve(array->size());
        std::vector<ConfigTable> tables;
        for (const toml::node& element : *array) {
            const auto url = element.value_exact<std::string>();
            if (!url && !element.is_table())
                refuse(element, fmt::format("an element of {} must be a URL or a table", key),
                       "Write \"postgresql://...\" or { url-env = \"NAME\" }.");
            kept.push_back(url ? toml::table{{"url", *url}} : *element.as_table());
            tables.emplace_back(m_path, fmt::format("{}.{}", m_name, tables.size() + 1), kept.back());
        }
        return tables;
    }

    void refuse_rest() const {
        for (const auto& [name, node] : m_table) {
            const std::string key{name.str()};
            if (m_known.contains(key)) continue;
            const std::vector<std::string> known{m_known.begin(), m_known.end()};
            const std::string where = m_name.empty() ? "" : fmt::format(" in [{}]", m_name);
            refuse(node, fmt::format("unknown key {}{}", key, where),
                   did_you_mean(key, known, "Known are: " + join(known, ", ") + "."));
        }
    }

    [[noreturn]] void refuse_table(const std::string& message, const std::string& hint) const {
        throw Error(ExitCode::usage, message, hint).at(place());
    }
    std::string place() const { return place_of(m_table); }
    const std::string& name() const { return m_name; }

private:
    const toml::node* find(const char* key) {
        m_known.insert(key);
        return m_table.get(key);
    }
    std::string text(const char* key, const toml::node& node) const {
        if (const auto text = node.value_exact<std::string>()) return *text;
        refuse(node, fmt::format("{} must be a text", key), fmt::format("Write {} = \"...\".", key));
    }
    std::string place_of(const toml::node& node) const {
        const auto at = node.source().begin;
        return at.line == 0 ? m_path : fmt::format("{}:{}:{}", m_path, at.line, at.column);
    }
    [[noreturn]] void refuse(const toml::node& node, const std::string& message,
                             const std::string& hint) const {
        throw Error(ExitCode::usage, message, hint).at(place_of(node));
    }

    const std::string& m_path;
    std::string m_name;
    const toml::table& m_table;
    std::set<std::string> m_known;
};

bool is_target_name(const std::string& name) {
    return !name.empty() && name.find_first_not_of(
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_") == std::string::npos;
}

void take_url(ConfigTable& table, UrlSource& url) {
    table.take("url", url.url);
    table.take("url-env", url.env);
    table.take("url-command", url.command);
}

void require_one_url(const ConfigTable& table, const UrlSource& url) {
    const int given = static_cast<int>(!url.url.empty()) + static_cast<int>(!url.env.empty()) +
                      static_cast<int>(!url.command.empty());
    if (given == 1) return;
    table.refuse_table(
        fmt::format("{} has {} URL", table.name(), given == 0 ? "no" : "more than one"),
        "Give one of url = \"postgresql://...\", url-env = \"NAME OF A VARIABLE\", url-command = \"COMMAND "
        "THAT PRINTS IT\".");
}

void read_shards(ConfigTable& table, const TargetConfig& target, std::vector<TargetConfig>& targets) {
    std::vector<toml::table> kept;
    for (ConfigTable& element : table.elements("shards", kept)) {
        TargetConfig shard = target;
        shard.shard_of = target.name;
        std::string name = element.name().substr(element.name().rfind('.') + 1);
        element.take("name", name);
        if (!is_target_name(name))
            element.refuse_table(fmt::format("\"{}\" cannot be the name of a shard", name),
                                 "Use letters, digits, - and _.");
        shard.name = target.name + "." + name;
        shard.at = table.place();
        take_url(element, shard.url);
        element.refuse_rest();
        require_one_url(element, shard.url);
        targets.push_back(std::move(shard));
    }
}

void read_target(ConfigTable& table, std::vector<TargetConfig>& targets) {
    TargetConfig target;
    target.name = table.name().substr(std::string_view{"target."}.size());
    target.at = table.place();
    if (!is_target_name(target.name))
        table.refuse_table(fmt::format("\"{}\" cannot be the name of a target", target.name),
                           "Use letters, digits, - and _.");
    take_url(table, target.url);
    table.take("group", target.group);
    table.take("ledger", target.ledger);
    table.take("csv-dir", target.csv_dir);
    table.take("dir", target.dir);
    table.take("schema-dir", target.schema_dir);
    table.take("journal-schema", target.journal_schema);
    table.take_people("approvals-required", target.approvals_required);
    const std::size_t before = targets.size();
    read_shards(table, target, targets);
    table.refuse_rest();
    if (targets.size() == before) {
        require_one_url(table, target.url);
        targets.push_back(std::move(target));
    } else if (target.url.given()) {
        table.refuse_table(fmt::format("{} has a URL and shards", table.name()),
                           "A target is one database, or several shards: leave one of them out.");
    }
}

void read_hooks(ConfigTable& table, HookConfig& hooks) {
    table.take("on-start", hooks.on_start);
    table.take("on-done", hooks.on_done);
    table.take("on-failed", hooks.on_failed);
    table.take("on-paused", hooks.on_paused);
    table.take_duration("timeout", hooks.timeout);
    table.refuse_rest();
}

void read_tables(ConfigTable& file, Config& config) {
    for (ConfigTable& table : file.tables("target")) read_target(table, config.targets);
    for (ConfigTable& table : config.group ? std::vector<ConfigTable>{} : file.tables("group")) {
        GroupConfig& group = config.groups[table.name().substr(std::string_view{"group."}.size())];
        table.take_people("approvals-required", group.approvals_required);
        table.refuse_rest();
    }
    if (auto hooks = file.table("hooks")) read_hooks(*hooks, config.hooks);
}

}  // namespace

Config read_config(const std::string& path) {
    toml::table parsed;
    try {
        parsed = toml::parse_file(path);
    } catch (const toml::parse_error& error) {
        const auto at = error.source().begin;
        throw Error(ExitCode::usage, std::string{error.description()}, "datachange.toml is a TOML file.")
            .at(fmt::format("{}:{}:{}", path, at.line, at.column));
    }
    ConfigTable file(path, "", parsed);
    Config config;
    file.take("database", config.database);
    file.take("ledger", config.ledger);
    file.take("dir", config.dir);
    file.take("csv-dir", config.csv_dir);
    file.take("schema-dir", config.schema_dir);
    file.take("journal-schema", config.journal_schema);
    file.take("operator", config.operator_name);
    if (!file.is_table("group")) file.take("group", config.group);
    file.take_rows("batch-size", config.batch_size);
    file.take_rows("batch-threshold", config.batch_threshold);
    file.take_people("approvals-required", config.approvals.required);
    file.take("allowed-signers", config.approvals.allowed_signers);
    file.take_part("approval-drift", config.approvals.drift);
    read_tables(file, config);
    file.refuse_rest();
    return config;
}

}  // namespace datachange
