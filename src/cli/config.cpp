#include "cli/config.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <utility>

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
    ConfigTable(std::string path, std::string name, const toml::table& table)
        : m_path(std::move(path)), m_name(std::move(name)), m_table(table) {}

    void take(const char* key, std::string& value) {
        if (const toml::node* node = find(key)) value = full_text(key, *node);
    }
    void take(const char* key, std::optional<std::string>& value) {
        if (const toml::node* node = find(key)) value = full_text(key, *node);
    }
    /// An empty one is none.
    void take_command(const char* key, std::string& value) {
        if (const toml::node* node = find(key)) value = text(key, *node);
    }
    void take_rows(const char* key, std::int64_t least, std::optional<std::uint64_t>& value) {
        const toml::node* node = find(key);
        if (node == nullptr) return;
        const auto number = node->value_exact<std::int64_t>();
        if (!number || *number < least)
            refuse(*node, fmt::format("{} must be a {}number of rows", key, least > 0 ? "positive " : ""),
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
    /// 0.1 or "10%"
    void take_part(const char* key, std::optional<double>& value) {
        const toml::node* node = find(key);
        if (node == nullptr) return;
        value = node->is_number() ? node->value<double>()
                                  : percent(node->value_exact<std::string>().value_or(""));
        const bool plain = node->is_number() && value && *value > 1;  // 10 is more likely meant as 10 %
        if (!value || !std::isfinite(*value) || *value < 0 || plain)
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
        std::vector<ConfigTable> tables;
        for (const auto& [name, beneath] : *node->as_table()) {
            const std::string whole = fmt::format("{}.{}", key, std::string_view{name.str()});
            if (!beneath.is_table())
                refuse(beneath, fmt::format("{} must be a table", whole),
                       fmt::format("Write [{}.NAME].", key));
            tables.push_back(ConfigTable(m_path, whole, *beneath.as_table()));
        }
        // in the order of the file
        std::stable_sort(tables.begin(), tables.end(), [](const ConfigTable& one, const ConfigTable& other) {
            return one.position() < other.position();
        });
        return tables;
    }
    bool is_table(const char* key) const { return m_table.get().get_as<toml::table>(key) != nullptr; }
    std::optional<ConfigTable> table(const char* key) {
        const toml::node* node = find(key);
        if (node == nullptr) return std::nullopt;
        if (!node->is_table())
            refuse(*node, fmt::format("{} must be a table", key), fmt::format("Write [{}].", key));
        return ConfigTable(m_path, key, *node->as_table());
    }
    /// The elements of a list of databases: tables, and texts, which are URLs.
    std::vector<ConfigTable> elements(const char* key) {
        static const toml::table nothing;
        const toml::node* node = find(key);
        if (node == nullptr) return {};
        const toml::array* array = node->as_array();
        if (array == nullptr || array->empty())
            refuse(*node, fmt::format("{} must be a list of databases", key),
                   fmt::format("Write {} = [\"postgresql://...\", {{ url-env = \"SHARD_2_URL\" }}].", key));
        std::vector<ConfigTable> elements;
        for (const toml::node& element : *array) {
            const std::string name = fmt::format("{}.{}", m_name, elements.size() + 1);
            const auto url = element.value_exact<std::string>();
            if (!url && !element.is_table())
                refuse(element, fmt::format("an element of {} must be a URL or a table", key),
                       "Write \"postgresql://...\" or { url-env = \"NAME\" }.");
            ConfigTable& table = elements.emplace_back(m_path, name, url ? nothing : *element.as_table());
            table.m_place = place_of(element);
            table.m_bare_url = url;
        }
        return elements;
    }

    void refuse_rest() const {
        for (const auto& [name, node] : m_table.get()) {
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
    std::string place() const { return m_place.empty() ? place_of(m_table) : m_place; }
    const std::string& name() const { return m_name; }
    /// Of an element that is no table, but a text.
    const std::optional<std::string>& bare_url() const { return m_bare_url; }

private:
    const toml::node* find(const char* key) {
        m_known.insert(key);
        return m_table.get().get(key);
    }
    std::string text(const char* key, const toml::node& node) const {
        if (const auto text = node.value_exact<std::string>()) return *text;
        refuse(node, fmt::format("{} must be a text", key), fmt::format("Write {} = \"...\".", key));
    }
    std::string full_text(const char* key, const toml::node& node) const {
        std::string full = text(key, node);
        if (full.empty())
            refuse(node, fmt::format("{} is empty", key), "Leave the line out, or say what it is.");
        return full;
    }
    static std::optional<double> percent(const std::string& text) {
        if (!text.ends_with('%')) return std::nullopt;
        const std::string_view number = trim(std::string_view{text}.substr(0, text.size() - 1));
        double value = 0;
        const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), value);
        if (failure != std::errc{} || end != number.data() + number.size()) return std::nullopt;
        return value / 100;
    }
    std::pair<unsigned, unsigned> position() const {
        const auto at = m_table.get().source().begin;
        return {at.line, at.column};
    }
    std::string place_of(const toml::node& node) const {
        const auto at = node.source().begin;
        return at.line == 0 ? m_path : fmt::format("{}:{}:{}", m_path, at.line, at.column);
    }
    [[noreturn]] void refuse(const toml::node& node, const std::string& message,
                             const std::string& hint) const {
        throw Error(ExitCode::usage, message, hint).at(place_of(node));
    }

    std::string m_path, m_name;
    std::reference_wrapper<const toml::table> m_table;
    std::string m_place;  ///< "": that of the table
    std::optional<std::string> m_bare_url;
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

void read_shard(ConfigTable& table, const TargetConfig& target, std::vector<TargetConfig>& targets) {
    TargetConfig shard = target;
    shard.shard_of = target.name;
    shard.at = table.place();
    std::string name = table.name().substr(table.name().rfind('.') + 1);
    if (const auto& url = table.bare_url()) {
        shard.url.url = *url;
    } else {
        table.take("name", name);
        take_url(table, shard.url);
        table.refuse_rest();
    }
    if (!is_target_name(name))
        table.refuse_table(fmt::format("\"{}\" cannot be the name of a shard", name),
                           "Use letters, digits, - and _.");
    shard.name = target.name + "." + name;
    for (const TargetConfig& other : targets) {
        if (other.name == shard.name)
            table.refuse_table(
                fmt::format("target {} has two shards {}", target.name, name),
                fmt::format("The other is at {}; a shard without a name is called by its number.", other.at));
    }
    require_one_url(table, shard.url);
    targets.push_back(std::move(shard));
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
    std::vector<ConfigTable> shards = table.elements("shards");
    table.refuse_rest();
    if (shards.empty()) {
        require_one_url(table, target.url);
        targets.push_back(std::move(target));
        return;
    }
    if (target.url.given())
        table.refuse_table(fmt::format("{} has a URL and shards", table.name()),
                           "A target is one database, or several shards: leave one of them out.");
    for (ConfigTable& shard : shards) read_shard(shard, target, targets);
}

void read_hooks(ConfigTable& table, HookOptions& hooks) {
    table.take_command("on-start", hooks.on_start);
    table.take_command("on-done", hooks.on_done);
    table.take_command("on-failed", hooks.on_failed);
    table.take_command("on-paused", hooks.on_paused);
    table.take_duration("timeout", hooks.timeout);
    table.refuse_rest();
}

void read_group(ConfigTable& table, std::map<std::string, GroupConfig>& groups) {
    GroupConfig& group = groups[table.name().substr(std::string_view{"group."}.size())];
    table.take_people("approvals-required", group.approvals_required);
    table.refuse_rest();
}

void read_tables(ConfigTable& file, Config& config) {
    for (ConfigTable& table : file.tables("target")) read_target(table, config.targets);
    // one word for two things, of which a file has one: the group of its own database, and tables of groups
    if (!file.is_table("group")) {
        file.take("group", config.group);
    } else {
        for (ConfigTable& table : file.tables("group")) read_group(table, config.groups);
    }
    if (auto hooks = file.table("hooks")) read_hooks(*hooks, config.hooks);
}

toml::table parse(const std::string& path) {
    if (std::filesystem::is_directory(path))
        throw Error(ExitCode::usage, "a folder, where the config file should be",
                    "Move it away, or give --config.")
            .at(path);
    try {
        return toml::parse_file(path);
    } catch (const toml::parse_error& error) {
        const auto at = error.source().begin;
        const std::string what{error.description()};
        const bool groups = what.find("redefine existing string 'group") != std::string::npos;
        throw Error(
            ExitCode::usage, what,
            groups
                ? "A file has either group = \"...\" or tables [group.NAME]: beside tables, say the group in "
                  "[target.NAME] or in DATACHANGE_GROUP."
                : "datachange.toml is a TOML file.")
            .at(at.line == 0 ? path : fmt::format("{}:{}:{}", path, at.line, at.column));
    }
}

}  // namespace

Config read_config(const std::string& path) {
    const toml::table parsed = parse(path);
    ConfigTable file(path, "", parsed);
    Config config;
    file.take("database", config.database);
    file.take("ledger", config.ledger);
    file.take("dir", config.dir);
    file.take("csv-dir", config.csv_dir);
    file.take("schema-dir", config.schema_dir);
    file.take("journal-schema", config.journal_schema);
    file.take("operator", config.operator_name);
    file.take_rows("batch-size", 1, config.batch_size);
    file.take_rows("batch-threshold", 0, config.batch_threshold);
    file.take_people("approvals-required", config.approvals.required);
    file.take("allowed-signers", config.approvals.allowed_signers);
    file.take_part("approval-drift", config.approvals.drift);
    read_tables(file, config);
    file.refuse_rest();
    return config;
}

}  // namespace datachange
