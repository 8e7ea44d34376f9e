#include "support.hpp"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-anon-enum-enum-conversion"
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#pragma clang diagnostic pop

#include <memory>

using namespace cvbridge;

struct cvb_writer {
    cv::VideoWriter video;
    cv::Size size;
    cv::Size padded;
    cv::Mat buffer;
};

static bool has_suffix(const std::string &text, const std::string &suffix) {
    return text.size() >= suffix.size() && text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

/// In order of preference.
static std::vector<int> codecs_for(const std::string &path) {
    using cv::VideoWriter;
    if (has_suffix(path, ".mp4")) {
        return {VideoWriter::fourcc('a', 'v', 'c', '1'), VideoWriter::fourcc('m', 'p', '4', 'v')};
    }
    if (has_suffix(path, ".avi")) return {VideoWriter::fourcc('M', 'J', 'P', 'G')};
    throw Failure(CVB_INTERNAL, "a video file ends in .mp4 or .avi");
}

cvb_status cvb_writer_open(const char *path, double frame_rate, int32_t width, int32_t height, cvb_writer **writer,
                           cvb_error error) {
    return guarded(error, [&] {
        auto opened = std::make_unique<cvb_writer>();
        opened->size = cv::Size(width, height);
        // 4:2:0 subsampling needs even sides, and OpenCV would cut the odd column or row off.
        opened->padded = cv::Size(width + width % 2, height + height % 2);
        take_ffmpeg_message();
        for (int codec : codecs_for(path)) {
            if (opened->video.open(path, cv::CAP_FFMPEG, codec, frame_rate, opened->padded, true)) {
                *writer = opened.release();
                return CVB_OK;
            }
        }
        std::string message = take_ffmpeg_message();
        throw Failure(CVB_CANNOT_WRITE, message.empty() ? "no encoder could be opened" : message);
    });
}

cvb_status cvb_writer_append(cvb_writer *writer, cvb_view image, cvb_error error) {
    return guarded(error, [&] {
        cv::Mat frame = matrix(image);
        if (frame.size() != writer->size || frame.channels() != 3) {
            throw Failure(CVB_INTERNAL, "a frame must be BGR and of the video's size");
        }
        if (writer->padded == writer->size) {
            writer->video.write(frame);
        } else {
            cv::copyMakeBorder(frame, writer->buffer, 0, writer->padded.height - writer->size.height, 0,
                               writer->padded.width - writer->size.width, cv::BORDER_REPLICATE);
            writer->video.write(writer->buffer);
        }
        return CVB_OK;
    });
}

void cvb_writer_close(cvb_writer *writer) {
    guarded(cvb_error{nullptr, 0}, [&] {
        delete writer;
        return CVB_OK;
    });
}
