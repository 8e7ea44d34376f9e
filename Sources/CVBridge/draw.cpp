#include "support.hpp"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-anon-enum-enum-conversion"
#include <opencv2/imgproc.hpp>
#pragma clang diagnostic pop

#include <algorithm>
#include <cmath>

using namespace cvbridge;

namespace {

/// Fractional bits of a drawn coordinate.
constexpr int shift = 4;
/// Coordinates are cut here, far outside any image, so that they fit into fixed point.
constexpr double farthest = 1e6;
constexpr double dash_length = 5, gap_length = 6;
/// More dashes than any visible line has.
constexpr int most_dashes = 4096;

cv::Scalar scalar(cvb_color color) { return cv::Scalar(color.blue, color.green, color.red); }

cv::Point fixed(cvb_point point) {
    auto coordinate = [](double value) {
        return static_cast<int>(std::lround(std::clamp(value, -farthest, farthest) * (1 << shift)));
    };
    return cv::Point(coordinate(point.x), coordinate(point.y));
}

void draw_segment(cv::Mat &image, cvb_point from, cvb_point to, bool dashed, const cv::Scalar &color, int thickness) {
    if (!dashed) {
        cv::line(image, fixed(from), fixed(to), color, thickness, cv::LINE_AA, shift);
        return;
    }
    double dx = to.x - from.x, dy = to.y - from.y, length = std::hypot(dx, dy);
    double period = std::max((dash_length + gap_length) * thickness, length / most_dashes);
    double dash = period * dash_length / (dash_length + gap_length);
    for (double at = 0; at < length; at += period) {
        double end = std::min(at + dash, length);
        cvb_point a = {from.x + dx * at / length, from.y + dy * at / length};
        cvb_point b = {from.x + dx * end / length, from.y + dy * end / length};
        cv::line(image, fixed(a), fixed(b), color, thickness, cv::LINE_AA, shift);
    }
}

bool is_finite(cvb_point point) { return std::isfinite(point.x) && std::isfinite(point.y); }

}  // namespace

cvb_status cvb_draw_line(cvb_view image, const cvb_point *points, size_t count, bool closed, bool dashed,
                         cvb_color color, double thickness, cvb_error error) {
    return guarded(error, [&] {
        cv::Mat target = matrix(image);
        int width = std::max(1, static_cast<int>(std::lround(std::clamp(thickness, 1.0, 64.0))));
        size_t segments = count < 2 ? 0 : closed ? count : count - 1;
        for (size_t i = 0; i < segments; i++) {
            cvb_point from = points[i], to = points[(i + 1) % count];
            if (!is_finite(from) || !is_finite(to)) break;
            draw_segment(target, from, to, dashed, scalar(color), width);
        }
        return CVB_OK;
    });
}

cvb_status cvb_draw_label(cvb_view image, const char *text, cvb_point origin, cvb_color background, double scale,
                          cvb_error error) {
    return guarded(error, [&] {
        cv::Mat target = matrix(image);
        if (!is_finite(origin) || !std::isfinite(scale) || text[0] == '\0') return CVB_OK;
        int baseline = 0;
        const int font = cv::FONT_HERSHEY_SIMPLEX;
        cv::Size size = cv::getTextSize(text, font, scale, 1, &baseline);
        int margin = std::max(2, static_cast<int>(4 * scale));
        int width = size.width + 2 * margin, height = size.height + baseline + margin;
        double most_x = std::max(0, image.width - width), most_y = std::max(height, image.height);
        int left = static_cast<int>(std::clamp(origin.x, 0.0, most_x));
        int bottom = static_cast<int>(std::clamp(origin.y, static_cast<double>(height), most_y));
        cv::rectangle(target, cv::Rect(left, bottom - height, width, height), scalar(background), cv::FILLED);
        double luma = 0.114 * background.blue + 0.587 * background.green + 0.299 * background.red;
        cv::Scalar ink = luma > 127 ? cv::Scalar::all(0) : cv::Scalar::all(255);
        cv::putText(target, text, cv::Point(left + margin, bottom - baseline), font, scale, ink, 1, cv::LINE_AA);
        return CVB_OK;
    });
}
