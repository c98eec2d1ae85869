#include "report/archive.hpp"

#include <clocale>
#include <cstdlib>
#include <ctime>
#include <optional>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "datachange/error.hpp"

namespace datachange {

namespace {

/// libarchive writes the local time into zip files, and names in the locale's encoding: while this lives, the
/// former is UTC and the latter UTF-8, wherever the tool is called.
class NeutralPlace {
public:
    NeutralPlace() : m_locale(::newlocale(LC_CTYPE_MASK, "C.UTF-8", locale_t{})) {
        if (const char* zone = std::getenv("TZ")) m_zone = zone;
        ::setenv("TZ", "UTC0", 1);
        ::tzset();
        if (m_locale) m_before = ::uselocale(m_locale);
    }
    ~NeutralPlace() {
        if (m_locale) {
            ::uselocale(m_before);
            ::freelocale(m_locale);
        }
        m_zone ? ::setenv("TZ", m_zone->c_str(), 1) : ::unsetenv("TZ");
        ::tzset();
    }
    NeutralPlace(const NeutralPlace&) = delete;
    NeutralPlace& operator=(const NeutralPlace&) = delete;

private:
    locale_t m_locale;
    locale_t m_before{};
    std::optional<std::string> m_zone;
};

struct FreeArchive {
    void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

/// A writer of libarchive whose bytes go to an Output.
class Writer {
public:
    explicit Writer(Output& to) : m_to(to), m_archive(archive_write_new()) {}

    archive* get() const { return m_archive.get(); }
    /// What the Output threw, or what libarchive says.
    void require(int result) {
        if (m_failure) std::rethrow_exception(m_failure);
        if (result >= ARCHIVE_OK) return;
        throw Error(ExitCode::failed,
                    fmt::format("cannot write the archive: {}", archive_error_string(get())));
    }
    void open() {
        archive_write_set_bytes_per_block(get(), 0);  // nothing is padded
        require(archive_write_open(get(), this, nullptr, write_piece, nullptr));
    }
    void write(std::string_view bytes) {
        while (!bytes.empty()) {
            const la_ssize_t count = archive_write_data(get(), bytes.data(), bytes.size());
            require(count <= 0 ? ARCHIVE_FATAL : ARCHIVE_OK);
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
    }
    void close() { require(archive_write_close(get())); }

private:
    // an exception must not pass through C
    static la_ssize_t write_piece(archive* writer, void* self, const void* bytes, std::size_t size) {
        auto& writing = *static_cast<Writer*>(self);
        try {
            writing.m_to.write({static_cast<const char*>(bytes), size});
            return static_cast<la_ssize_t>(size);
        } catch (...) {
            writing.m_failure = std::current_exception();
            archive_set_error(writer, EIO, "the output failed");
            return -1;
        }
    }

    Output& m_to;
    std::exception_ptr m_failure;
    std::unique_ptr<archive, FreeArchive> m_archive;  ///< last: to free it may write
};

constexpr const char* gzip_options = "gzip:compression-level=6,gzip:!timestamp";

class Gzip final : public Output {
public:
    explicit Gzip(Output& to) : m_writer(to), m_to(to) {
        archive_write_set_format_raw(m_writer.get());
        archive_write_add_filter_gzip(m_writer.get());
        m_writer.require(archive_write_set_options(m_writer.get(), gzip_options));
        m_writer.open();
        const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        m_writer.require(archive_write_header(m_writer.get(), entry.get()));
    }

    void write(std::string_view bytes) override { m_writer.write(bytes); }
    void finish() override {
        m_writer.close();
        m_to.finish();
    }

private:
    Writer m_writer;
    Output& m_to;
};

/// "2026-03-01T12:00:00.000Z" in seconds; 1980, where zip's times begin, for what is none.
std::time_t seconds_of(const std::string& time) {
    std::tm parts{};
    if (::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) return 315532800;
    return ::timegm(&parts);
}

}  // namespace

std::unique_ptr<Output> gzip(Output& to) {
    return std::make_unique<Gzip>(to);
}

struct Archive::State {
    State(std::time_t time_, Output& to_) : time(time_), to(to_), writer(to_) {}

    std::time_t time;
    Output& to;
    NeutralPlace place;
    Writer writer;
};

Archive::Archive(ArchiveKind kind, const std::string& time, Output& to)
    : m_state(std::make_unique<State>(seconds_of(time), to)) {
    archive* const writer = m_state->writer.get();
    if (kind == ArchiveKind::zip) {
        archive_write_set_format_zip(writer);
        m_state->writer.require(archive_write_set_options(writer, "zip:compression-level=6"));
    } else {
        archive_write_set_format_pax_restricted(writer);
        archive_write_add_filter_gzip(writer);
        m_state->writer.require(archive_write_set_options(writer, gzip_options));
    }
    m_state->writer.open();
}

Archive::~Archive() = default;

void Archive::add(const std::string& name, SpoolOutput& content) {
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), S_IRUSR | S_IWUSR);
    archive_entry_set_mtime(entry.get(), m_state->time, 0);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.bytes()));
    m_state->writer.require(archive_write_header(m_state->writer.get(), entry.get()));
    for (std::string_view piece = content.read(); !piece.empty(); piece = content.read())
        m_state->writer.write(piece);
    m_state->writer.require(archive_write_finish_entry(m_state->writer.get()));
}

void Archive::finish() {
    m_state->writer.close();
    m_state->to.finish();
}

}  // namespace datachange
