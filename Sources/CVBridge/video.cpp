#include <algorithm>
#include <memory>

#include "convert.hpp"
#include "ffmpeg.hpp"
#include "support.hpp"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-anon-enum-enum-conversion"
#include <opencv2/imgproc.hpp>
#pragma clang diagnostic pop

extern "C" {
#include <libavutil/cpu.h>
}

using namespace cvbridge;

struct cvb_video {
    Format format;
    AVStream *stream;
    Codec codec;
    Packet packet;
    Frame frame;
    cvb_orientation orientation;
    bool is_drained = false;

    FrameConverter converter;
    Scratch gray, color;
    cv::Mat transposed;

    bool is_turned() const { return orientation.transpose || orientation.mirror_x || orientation.mirror_y; }

    cv::Size size() const {
        return orientation.transpose ? cv::Size(frame->height, frame->width) : cv::Size(frame->width, frame->height);
    }

    void turn(const cv::Mat &source, cv::Mat &target);
    void feed();
    void write_gray(const cv::Mat &bgr, cv::Mat &target);
};

/// FFmpeg counts the pixels of its padded memory. So that no frame of an allowed size is refused, a larger one, to
/// which the size would have to change inside of the video, may pass: it is twice the limit at most, or a little larger
/// than the first.
static int64_t padded_pixels(const AVCodecParameters *parameters, int64_t max_pixels) {
    constexpr int64_t padding = 128;
    return std::max(2 * max_pixels, (parameters->width + padding) * (parameters->height + padding));
}

/// Threads of codecs that can share their work, as H.264 and VP9 can. Each holds pictures of its own.
static constexpr int most_threads = 4;

static Codec open_codec(const AVStream *stream, int64_t max_pixels) {
    const AVCodec *decoder = avcodec_find_decoder(stream->codecpar->codec_id);
    if (decoder == nullptr) throw Failure(CVB_UNDECODABLE, "its codec is not understood");
    Codec codec(avcodec_alloc_context3(decoder));
    if (codec == nullptr || avcodec_parameters_to_context(codec.get(), stream->codecpar) < 0) throw std::bad_alloc();
    codec->pkt_timebase = stream->time_base;
    codec->max_pixels = padded_pixels(stream->codecpar, max_pixels);
    codec->thread_count = std::clamp(av_cpu_count(), 1, most_threads);
    take_ffmpeg_message();
    int result = avcodec_open2(codec.get(), decoder, nullptr);
    if (result == AVERROR(ENOMEM)) throw std::bad_alloc();
    if (result < 0) throw Failure(CVB_UNDECODABLE, error_text(result));
    return codec;
}

cvb_status cvb_video_open(int32_t descriptor, const char *demuxer, int64_t max_pixels, cvb_orientation orientation,
                          cvb_video **video, cvb_error error) {
    return guarded(error, [&] {
        auto opened = std::make_unique<cvb_video>();
        opened->format = open_format(descriptor, demuxer, max_pixels);
        opened->stream = select_stream(opened->format.get());
        opened->codec = open_codec(opened->stream, max_pixels);
        opened->packet = make_packet();
        opened->frame = make_frame();
        opened->orientation = orientation;
        *video = opened.release();
        return CVB_OK;
    });
}

/// Hands the next packet to the codec, or the end. A damaged packet is left out: the codec refuses it.
void cvb_video::feed() {
    int result = 0;
    while ((result = av_read_frame(format.get(), packet.get())) >= 0) {
        // To the codec, an empty packet would mean the end.
        if (packet->stream_index == stream->index && packet->size > 0) break;
        av_packet_unref(packet.get());
    }
    if (result == AVERROR(ENOMEM)) throw std::bad_alloc();
    is_drained = result < 0;
    result = avcodec_send_packet(codec.get(), is_drained ? nullptr : packet.get());
    av_packet_unref(packet.get());
    if (result == AVERROR(ENOMEM)) throw std::bad_alloc();
}

cvb_status cvb_video_grab(cvb_video *video, cvb_error error) {
    return guarded(error, [&] {
        while (true) {
            int result = avcodec_receive_frame(video->codec.get(), video->frame.get());
            if (result >= 0) return CVB_OK;
            if (result == AVERROR(ENOMEM)) throw std::bad_alloc();
            if (result == AVERROR_EOF) return CVB_END;
            // Any other error is a picture that cannot be decoded; it is left out.
            if (result != AVERROR(EAGAIN)) continue;
            if (video->is_drained) return CVB_END;
            video->feed();
        }
    });
}

bool cvb_video_stamp(const cvb_video *video, int64_t *stamp) {
    *stamp = video->frame->pts;
    return *stamp != AV_NOPTS_VALUE;
}

int32_t cvb_video_width(const cvb_video *video) { return video->size().width; }

int32_t cvb_video_height(const cvb_video *video) { return video->size().height; }

cvb_status cvb_video_is_color(cvb_video *video, bool *is_color, cvb_error error) {
    return guarded(error, [&] {
        const AVFrame &frame = *video->frame;
        *is_color = false;
        if (FrameConverter::is_gray(frame)) return CVB_OK;
        cv::Mat bgr = video->color.matrix(frame.width, frame.height, 3);
        video->converter.write_bgr(frame, bgr);
        *is_color = has_color(bgr);
        return CVB_OK;
    });
}

/// Turns a picture into the displayed one.
void cvb_video::turn(const cv::Mat &source, cv::Mat &target) {
    const cv::Mat *upright = &source;
    bool is_mirrored = orientation.mirror_x || orientation.mirror_y;
    if (orientation.transpose) {
        cv::Mat &result = is_mirrored ? transposed : target;
        cv::transpose(source, result);
        upright = &result;
    }
    if (is_mirrored) {
        int direction = orientation.mirror_x && orientation.mirror_y ? -1 : orientation.mirror_x ? 1 : 0;
        cv::flip(*upright, target, direction);
    }
}

/// `bgr` is the frame in colour, where it has no luma.
void cvb_video::write_gray(const cv::Mat &bgr, cv::Mat &target) {
    if (FrameConverter::has_luma(*frame)) {
        converter.write_luma(*frame, target);
    } else {
        cv::cvtColor(bgr, target, cv::COLOR_BGR2GRAY);
    }
}

cvb_status cvb_video_write(cvb_video *video, cvb_view gray, cvb_view color, cvb_error error) {
    return guarded(error, [&] {
        const AVFrame &frame = *video->frame;
        bool has_target = color.pixels != nullptr, is_turned = video->is_turned();
        cv::Mat gray_target = target_matrix(gray, video->size(), 1);
        cv::Mat bgr;
        if (has_target || !FrameConverter::has_luma(frame)) {
            cv::Mat color_target = has_target ? target_matrix(color, video->size(), 3) : cv::Mat();
            bgr = has_target && !is_turned ? color_target : video->color.matrix(frame.width, frame.height, 3);
            video->converter.write_bgr(frame, bgr);
            if (has_target && is_turned) video->turn(bgr, color_target);
        }
        if (is_turned) {
            cv::Mat plain = video->gray.matrix(frame.width, frame.height, 1);
            video->write_gray(bgr, plain);
            video->turn(plain, gray_target);
        } else {
            video->write_gray(bgr, gray_target);
        }
        return CVB_OK;
    });
}

void cvb_video_close(cvb_video *video) { delete video; }
