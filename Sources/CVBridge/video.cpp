#include "support.hpp"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-anon-enum-enum-conversion"
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#pragma clang diagnostic pop

#include <cstdlib>
#include <memory>

using namespace cvbridge;

struct cvb_video {
    cv::VideoCapture capture;
    cv::Mat decoded;
    cv::Mat turned;
};

cvb_status cvb_video_open(const char *path, const char *demuxer, cvb_video **video, cvb_error error) {
    return guarded(error, [&] {
        // A playlist or a concat script would make FFmpeg open other files; one demuxer and one protocol prevent that.
        // Nor is a packet decoded that the file holds only in part.
        std::string options = std::string("input_format;") + demuxer + "|format_whitelist;" + demuxer +
                              "|protocol_whitelist;file|fflags;+discardcorrupt";
        setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", options.c_str(), 1);
        take_ffmpeg_message();
        auto opened = std::make_unique<cvb_video>();
        if (!opened->capture.open(path, cv::CAP_FFMPEG)) {
            std::string message = take_ffmpeg_message();
            throw Failure(CVB_UNDECODABLE, message.empty() ? "its codec is not understood" : message);
        }
        // The orientation is applied here, from the container's matrix.
        opened->capture.set(cv::CAP_PROP_ORIENTATION_AUTO, 0);
        *video = opened.release();
        return CVB_OK;
    });
}

cvb_status cvb_video_grab(cvb_video *video, cvb_error error) {
    return guarded(error, [&] { return video->capture.grab() ? CVB_OK : CVB_END; });
}

double cvb_video_position(const cvb_video *video) {
    double position = 0;
    guarded(cvb_error{nullptr, 0}, [&] {
        position = video->capture.get(cv::CAP_PROP_POS_MSEC);
        return CVB_OK;
    });
    return position;
}

static cv::Mat &orient(cvb_video &video, cvb_orientation orientation) {
    cv::Mat *result = &video.decoded;
    if (orientation.transpose) {
        cv::transpose(*result, video.turned);
        result = &video.turned;
    }
    if (orientation.mirror_x || orientation.mirror_y) {
        int direction = orientation.mirror_x && orientation.mirror_y ? -1 : orientation.mirror_x ? 1 : 0;
        cv::flip(*result, video.turned, direction);
        result = &video.turned;
    }
    return *result;
}

cvb_status cvb_video_retrieve(cvb_video *video, cvb_orientation orientation, cvb_picture *picture, cvb_error error) {
    return guarded(error, [&] {
        // A reference to memory of the decoder, valid until the next frame is grabbed.
        if (!video->capture.retrieve(video->decoded) || video->decoded.empty()) {
            throw Failure(CVB_UNDECODABLE, "the frame cannot be converted");
        }
        if (video->decoded.type() != CV_8UC3) throw Failure(CVB_UNDECODABLE, "the frame has an unknown pixel format");
        picture->pixels = orient(*video, orientation);
        return CVB_OK;
    });
}

void cvb_video_close(cvb_video *video) { delete video; }
