#include <cmath>
#include <cstdio>
#include <exception>
#include <vector>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-anon-enum-enum-conversion"
#include <opencv2/core.hpp>
#include <opencv2/core/ocl.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/tracking.hpp>
#include <opencv2/tracking/tracking_legacy.hpp>
#include <opencv2/video/tracking.hpp>
#pragma clang diagnostic pop

#include "OpenCVTracking.h"

namespace {

void explain(peers_message *message, const char *text) {
    if (message != nullptr) std::snprintf(message->text, sizeof message->text, "%s", text);
}

// Runs `body`; an exception becomes a message and `failure`.
template <typename Result, typename Body>
Result guarded(peers_message *message, Result failure, Body body) noexcept {
    try {
        return body();
    } catch (const std::exception &error) {
        explain(message, error.what());
    } catch (...) {
        explain(message, "an unknown exception");
    }
    return failure;
}

cv::Mat matrix(const peers_image &image) {
    // OpenCV has no matrix of constant pixels; nothing here writes to one.
    return cv::Mat(image.height, image.width, CV_MAKETYPE(CV_8U, image.channels), const_cast<uint8_t *>(image.pixels),
                   image.bytes_per_row);
}

cv::Rect rounded(const peers_box &box) {
    return cv::Rect(static_cast<int>(std::lround(box.x)), static_cast<int>(std::lround(box.y)),
                    static_cast<int>(std::lround(box.width)), static_cast<int>(std::lround(box.height)));
}

}  // namespace

// One of the two; OpenCV's interfaces have no common base.
struct peers_tracker {
    cv::Ptr<cv::Tracker> current;
    cv::Ptr<cv::legacy::Tracker> legacy;
};

struct peers_pyramid {
    std::vector<cv::Mat> planes;
};

void peers_use_one_thread(void) {
    cv::setNumThreads(1);
    cv::ocl::setUseOpenCL(false);
}

const char *peers_version(void) { return CV_VERSION; }

peers_tracker *peers_tracker_create(peers_kind kind, const peers_image *image, peers_box box, peers_message *message) {
    return guarded<peers_tracker *>(message, nullptr, [&]() -> peers_tracker * {
        peers_tracker tracker;
        switch (kind) {
            case PEERS_CSRT:
                tracker.current = cv::TrackerCSRT::create();
                break;
            case PEERS_KCF:
                tracker.current = cv::TrackerKCF::create();
                break;
            case PEERS_MEDIAN_FLOW:
                tracker.legacy = cv::legacy::TrackerMedianFlow::create();
                break;
            case PEERS_MOSSE:
                tracker.legacy = cv::legacy::TrackerMOSSE::create();
                break;
        }
        if (tracker.current) {
            tracker.current->init(matrix(*image), rounded(box));
        } else if (!tracker.legacy ||
                   !tracker.legacy->init(matrix(*image), cv::Rect2d(box.x, box.y, box.width, box.height))) {
            explain(message, "the tracker does not take the box");
            return nullptr;
        }
        return new peers_tracker(tracker);
    });
}

void peers_tracker_destroy(peers_tracker *tracker) { delete tracker; }

int peers_tracker_update(peers_tracker *tracker, const peers_image *image, peers_box *box, peers_message *message) {
    return guarded(message, -1, [&] {
        if (tracker->current) {
            cv::Rect found = rounded(*box);
            if (!tracker->current->update(matrix(*image), found)) return 0;
            *box = {double(found.x), double(found.y), double(found.width), double(found.height)};
        } else {
            cv::Rect2d found(box->x, box->y, box->width, box->height);
            if (!tracker->legacy->update(matrix(*image), found)) return 0;
            *box = {found.x, found.y, found.width, found.height};
        }
        return 1;
    });
}

int peers_ecc(const peers_image *template_image, const peers_image *image, int iterations, float warp[6],
              peers_message *message) {
    return guarded(message, -1, [&] {
        cv::Mat map(2, 3, CV_32F, warp);
        // Without EPS the step's size ends nothing.
        const cv::TermCriteria criteria(cv::TermCriteria::COUNT, iterations, 0);
        cv::findTransformECC(matrix(*template_image), matrix(*image), map, cv::MOTION_AFFINE, criteria, cv::noArray(),
                             1);
        return 0;
    });
}

peers_pyramid *peers_pyramid_create(const peers_image *grey, int window, int levels, peers_message *message) {
    return guarded<peers_pyramid *>(message, nullptr, [&] {
        peers_pyramid pyramid;
        cv::buildOpticalFlowPyramid(matrix(*grey), pyramid.planes, cv::Size(window, window), levels - 1, true);
        return new peers_pyramid(pyramid);
    });
}

void peers_pyramid_destroy(peers_pyramid *pyramid) { delete pyramid; }

int peers_flow(const peers_pyramid *first, const peers_pyramid *second, const peers_point *from, int count, int window,
               int levels, int iterations, double epsilon, peers_point *to, uint8_t *status, peers_message *message) {
    return guarded(message, -1, [&] {
        std::vector<cv::Point2f> start(count), end;
        for (int i = 0; i < count; ++i) start[i] = {from[i].x, from[i].y};
        std::vector<uchar> found;
        std::vector<float> error;
        const cv::TermCriteria criteria(cv::TermCriteria::COUNT + cv::TermCriteria::EPS, iterations, epsilon);
        cv::calcOpticalFlowPyrLK(first->planes, second->planes, start, end, found, error, cv::Size(window, window),
                                 levels - 1, criteria, 0, 0);
        for (int i = 0; i < count; ++i) {
            to[i] = {end[i].x, end[i].y};
            status[i] = found[i];
        }
        return 0;
    });
}

int peers_corners(const peers_image *grey, int count, double distance, peers_point *corners, peers_message *message) {
    return guarded(message, -1, [&] {
        std::vector<cv::Point2f> found;
        cv::goodFeaturesToTrack(matrix(*grey), found, count, 0.01, distance);
        for (size_t i = 0; i < found.size(); ++i) corners[i] = {found[i].x, found[i].y};
        return static_cast<int>(found.size());
    });
}
