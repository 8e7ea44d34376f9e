#include "support.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <opencv2/core/utils/logger.hpp>

extern "C" {
#include <libavutil/log.h>
}

namespace cvbridge {
namespace {

std::mutex message_lock;
std::string last_message;  // guarded by message_lock

void collect_message(void *context, int level, const char *format, va_list arguments) {
    if (level > AV_LOG_ERROR) return;
    char line[256];
    int prefix = 0;
    av_log_format_line2(context, level, format, arguments, line, sizeof line, &prefix);
    line[strcspn(line, "\n")] = '\0';
    if (line[0] == '\0') return;
    try {
        std::lock_guard<std::mutex> guard(message_lock);
        last_message = line;
    } catch (...) {
        // A message that cannot be kept is lost; FFmpeg is C and must not see an exception.
    }
}

int ignore_error(int, const char *, const char *, const char *, int, void *) { return 0; }

}  // namespace

void prepare() {
    static std::once_flag once;
    std::call_once(once, [] {
        cv::setNumThreads(1);
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
        cv::redirectError(ignore_error);
        av_log_set_callback(collect_message);
    });
}

std::string take_ffmpeg_message() {
    std::lock_guard<std::mutex> guard(message_lock);
    return std::exchange(last_message, std::string());
}

void report(cvb_error error, const std::string &text) noexcept {
    if (error.text == nullptr || error.capacity == 0) return;
    size_t length = std::min(text.size(), error.capacity - 1);
    memcpy(error.text, text.data(), length);
    error.text[length] = '\0';
}

cvb_status status_of(const cv::Exception &exception) noexcept {
    if (exception.code == cv::Error::StsNoMem) return CVB_NO_MEMORY;
    // How validateInputImageSize() of imgcodecs says that the header names too many pixels.
    if (strstr(exception.what(), "CV_IO_MAX_IMAGE") != nullptr) return CVB_LIMIT;
    return CVB_UNDECODABLE;
}

cv::Mat matrix(const cvb_view &view) {
    if (view.pixels == nullptr || view.width <= 0 || view.height <= 0 || (view.channels != 1 && view.channels != 3) ||
        view.bytes_per_row < static_cast<size_t>(view.width) * static_cast<size_t>(view.channels)) {
        throw Failure(CVB_INTERNAL, "not an image");
    }
    return cv::Mat(view.height, view.width, CV_8UC(view.channels), view.pixels, view.bytes_per_row);
}

cv::Mat target_matrix(const cvb_view &view, cv::Size size, int channels) {
    cv::Mat target = matrix(view);
    if (target.size() != size || target.channels() != channels) {
        throw Failure(CVB_INTERNAL, "the view has another size than the picture");
    }
    return target;
}

bool has_color(const cv::Mat &pixels) {
    if (pixels.channels() != 3) return false;
    for (int y = 0; y < pixels.rows; y++) {
        const uint8_t *row = pixels.ptr<uint8_t>(y);
        for (int x = 0; x < pixels.cols; x++) {
            if (row[3 * x] != row[3 * x + 1] || row[3 * x] != row[3 * x + 2]) return true;
        }
    }
    return false;
}

}  // namespace cvbridge
