#include "report/html_plot.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/text.hpp"

namespace datachange {

namespace {

// Of the drawing, which is stretched to where it stands; captions are text beside it.
constexpr double width = 1000, height = 150, top = 6;
constexpr std::size_t most_points = 400;

struct Point {
    double seconds;  ///< since the first batch began, at the end of this one
    std::uint64_t rows;
    double duration_ms;
};

std::vector<Point> points_of(const std::vector<LedgerBatch>& batches) {
    std::vector<Point> points;
    for (const LedgerBatch& batch : batches) {
        const auto start = parse_utc(batch.started_at);
        if (batch.state != "committed" || !start) continue;
        const auto duration = static_cast<double>(batch.duration_ms);
        points.push_back({*start + duration / 1000, batch.rows.changed(), duration});
    }
    std::sort(points.begin(), points.end(),
              [](const Point& a, const Point& b) { return a.seconds < b.seconds; });
    if (points.empty()) return points;
    double begin = points.front().seconds;
    for (const Point& point : points) begin = std::min(begin, point.seconds - point.duration_ms / 1000);
    for (Point& point : points) point.seconds -= begin;
    return points;
}

std::string duration(double seconds) {
    if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1000);
    if (seconds < 120) return fmt::format("{:.1f} s", seconds);
    if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.1f} h", seconds / 3600);
}

std::string figure(const std::string& title, const std::string& note, const std::string& drawing,
                   const std::string& left, const std::string& right) {
    return fmt::format(
        "<figure><figcaption><strong>{}</strong> <span>{}</span></figcaption>\n"
        "<svg class=\"plot\" viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\" role=\"img\" "
        "aria-label=\"{}: "
        "{}\">{}</svg>\n<div class=\"axis\"><span>{}</span><span>{}</span></div></figure>\n",
        title, note, width, height, title, note, drawing, left, right);
}

std::string rows_over_time(const std::vector<Point>& points) {
    std::uint64_t all = 0;
    for (const Point& point : points) all += point.rows;
    const double end = std::max(points.back().seconds, 1e-9);
    const std::size_t step = (points.size() + most_points - 1) / most_points;
    std::string line = fmt::format("M0,{}", height);
    std::uint64_t rows = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        rows += points[i].rows;
        if (i % step != 0 && i + 1 != points.size()) continue;
        const double share = all == 0 ? 0 : static_cast<double>(rows) / static_cast<double>(all);
        line +=
            fmt::format("L{:.1f},{:.1f}", points[i].seconds / end * width, height - share * (height - top));
    }
    const std::string drawing = fmt::format(
        "<path class=\"area\" d=\"{}L{},{}Z\"/><path class=\"line\" d=\"{}\"/>", line, width, height, line);
    return figure("Rows changed over time",
                  fmt::format("{} in {}, {} rows/s", counted(all, "row"), duration(end),
                              with_thousands(static_cast<std::uint64_t>(static_cast<double>(all) / end))),
                  drawing, "0", duration(end));
}

std::string batch_durations(const std::vector<Point>& points) {
    const std::size_t step = (points.size() + most_points - 1) / most_points;
    const std::size_t bars = (points.size() + step - 1) / step;
    std::vector<double> sorted;
    for (const Point& point : points) sorted.push_back(point.duration_ms);
    std::sort(sorted.begin(), sorted.end());
    const double longest = std::max(sorted.back(), 1.0);
    std::string drawing;
    const double slot = width / static_cast<double>(bars);
    for (std::size_t bar = 0; bar < bars; ++bar) {
        double of_bar = 0;
        for (std::size_t i = bar * step; i < std::min(points.size(), (bar + 1) * step); ++i)
            of_bar = std::max(of_bar, points[i].duration_ms);
        const double tall = std::max(1.0, of_bar / longest * (height - top));
        drawing +=
            fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
                        static_cast<double>(bar) * slot, height - tall, slot * 0.8, tall);
    }
    return figure("Duration of each batch",
                  fmt::format("median {}, longest {}", duration(sorted[sorted.size() / 2] / 1000),
                              duration(longest / 1000)),
                  drawing, "first", fmt::format("last of {}", with_thousands(points.size())));
}

}  // namespace

std::string html_plots(const std::vector<LedgerBatch>& batches) {
    const std::vector<Point> points = points_of(batches);
    if (points.size() < 2) return {};
    return "<section class=\"panel\" aria-labelledby=\"plots-title\">\n<h2 id=\"plots-title\">Time</h2>\n"
           "<div class=\"plots\">\n" +
           rows_over_time(points) + batch_durations(points) + "</div>\n</section>";
}

}  // namespace datachange
