#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-anon-enum-enum-conversion"
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#pragma clang diagnostic pop

#include "OpenCVPeer.h"

bool opencv_peer_decode(const char *path) {
    try {
        cv::setNumThreads(1);
        cv::VideoCapture video(path, cv::CAP_FFMPEG);
        cv::Mat color, gray;
        while (video.read(color)) cv::cvtColor(color, gray, cv::COLOR_BGR2GRAY);
        return !gray.empty();
    } catch (const cv::Exception &) {
        return false;
    }
}
