#pragma once

#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "include/CVBridge.h"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-anon-enum-enum-conversion"
#include <opencv2/core.hpp>
#pragma clang diagnostic pop

namespace cvbridge {

/// A failure whose status is known where it happens.
struct Failure : std::runtime_error {
    cvb_status status;
    Failure(cvb_status status, const std::string &text) : std::runtime_error(text), status(status) {}
};

/// Once in a process: OpenCV and FFmpeg keep silent and single-threaded.
void prepare();

/// The last thing that FFmpeg called an error on any thread, or nothing; forgotten by the call.
std::string take_ffmpeg_message();

void report(cvb_error error, const std::string &text) noexcept;

cvb_status status_of(const cv::Exception &exception) noexcept;

/// Runs a function's body and turns whatever it throws into a status and text.
template <typename Body>
cvb_status guarded(cvb_error error, Body &&body) noexcept {
    try {
        prepare();
        return std::forward<Body>(body)();
    } catch (const Failure &failure) {
        report(error, failure.what());
        return failure.status;
    } catch (const cv::Exception &exception) {
        report(error, exception.err);
        return status_of(exception);
    } catch (const std::bad_alloc &) {
        report(error, "out of memory");
        return CVB_NO_MEMORY;
    } catch (const std::exception &exception) {
        report(error, exception.what());
        return CVB_INTERNAL;
    } catch (...) {
        report(error, "unknown exception");
        return CVB_INTERNAL;
    }
}

/// A matrix over the view's memory, without a copy.
cv::Mat matrix(const cvb_view &view);

/// The same for a view that is written to; throws where it has not the picture's size and channels.
cv::Mat target_matrix(const cvb_view &view, cv::Size size, int channels);

/// Whether any pixel's channels differ.
bool has_color(const cv::Mat &pixels);

}  // namespace cvbridge

struct cvb_picture {
    cv::Mat pixels;
};

struct cvb_bytes {
    std::vector<uint8_t> bytes;
};
