#include <algorithm>
#include <memory>
#include <vector>

#include "convert.hpp"
#include "ffmpeg.hpp"
#include "support.hpp"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-anon-enum-enum-conversion"
#include <opencv2/imgproc.hpp>
#pragma clang diagnostic pop

extern "C" {
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

using namespace cvbridge;

namespace {

struct ScalerDeleter {
    void operator()(SwsContext *context) const { sws_freeContext(context); }
};

/// x264's constant rate factor (its own default) and the quantiser of Motion JPEG and MPEG-4 (2 is the finest).
constexpr int h264_rate_factor = 23, quantiser = 3;
/// MPEG-4 counts time in 16 bits (ISO/IEC 14496-2, 6.3.3, vop_time_increment_resolution).
constexpr int largest_rate_numerator = 60000;

void check(int result) {
    if (result == AVERROR(ENOMEM)) throw std::bad_alloc();
    if (result < 0) throw Failure(CVB_CANNOT_WRITE, error_text(result));
}

bool has_suffix(const std::string &text, const std::string &suffix) {
    return text.size() >= suffix.size() && text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

/// In order of preference.
std::vector<AVCodecID> codecs_for(const std::string &path) {
    if (has_suffix(path, ".mp4")) return {AV_CODEC_ID_H264, AV_CODEC_ID_MPEG4};
    if (has_suffix(path, ".avi")) return {AV_CODEC_ID_MJPEG};
    throw Failure(CVB_INTERNAL, "a video file ends in .mp4 or .avi");
}

/// Nothing where there is no such encoder, or the hardware that it stands for. One in software that cannot be opened
/// now could be the next time: it is no reason to write another codec.
Codec open_encoder(AVCodecID identifier, cv::Size size, AVRational rate, bool has_global_header) {
    const AVCodec *encoder = avcodec_find_encoder(identifier);
    if (encoder == nullptr) return nullptr;
    Codec codec(avcodec_alloc_context3(encoder));
    if (codec == nullptr) throw std::bad_alloc();
    codec->width = size.width;
    codec->height = size.height;
    codec->time_base = av_inv_q(rate);
    codec->framerate = rate;
    codec->pix_fmt = identifier == AV_CODEC_ID_MJPEG ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P;
    // One thread: the same frames give the same bytes.
    codec->thread_count = 1;
    if (has_global_header) codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (identifier == AV_CODEC_ID_H264) {
        // Encoders other than x264 do not know it, and go by their own default.
        av_opt_set_int(codec->priv_data, "crf", h264_rate_factor, 0);
        // x264's assembly for its macroblock tree reads beyond the rows that it has set where these are not a multiple
        // of eight macroblocks (0.164): what lay in memory there would decide what is written. (A sixth more bytes
        // without.)
        av_opt_set(codec->priv_data, "x264-params", "mbtree=0", 0);
    } else {
        codec->flags |= AV_CODEC_FLAG_QSCALE;
        codec->global_quality = FF_QP2LAMBDA * quantiser;
    }
    int result = avcodec_open2(codec.get(), encoder, nullptr);
    if (result >= 0) return codec;
    if ((encoder->capabilities & (AV_CODEC_CAP_HARDWARE | AV_CODEC_CAP_HYBRID)) != 0) return nullptr;
    if (result == AVERROR(ENOMEM)) throw std::bad_alloc();
    throw Failure(CVB_CANNOT_WRITE, error_text(result));
}

}  // namespace

struct cvb_writer {
    OutputFormat format;
    AVStream *stream;
    Codec codec;
    Packet packet;
    Frame frame;
    std::unique_ptr<SwsContext, ScalerDeleter> scaler;
    cv::Size size;
    /// 4:2:0 subsampling needs even sides.
    cv::Size padded;
    Scratch buffer;

    void open(const char *path, AVRational rate);
    /// Encodes a frame, or what is left where it is null.
    void encode(const AVFrame *picture);
};

void cvb_writer::open(const char *path, AVRational rate) {
    AVFormatContext *made = nullptr;
    check(avformat_alloc_output_context2(&made, nullptr, nullptr, path));
    format.reset(made);
    bool has_global_header = (made->oformat->flags & AVFMT_GLOBALHEADER) != 0;
    take_ffmpeg_message();
    for (AVCodecID identifier : codecs_for(path)) {
        codec = open_encoder(identifier, padded, rate, has_global_header);
        if (codec != nullptr) break;
    }
    if (codec == nullptr) {
        std::string message = take_ffmpeg_message();
        throw Failure(CVB_CANNOT_WRITE, message.empty() ? "no encoder could be opened" : message);
    }
    stream = avformat_new_stream(made, nullptr);
    if (stream == nullptr) throw std::bad_alloc();
    check(avcodec_parameters_from_context(stream->codecpar, codec.get()));
    stream->time_base = codec->time_base;
    stream->avg_frame_rate = rate;
    check(avio_open(&made->pb, path, AVIO_FLAG_WRITE));
    check(avformat_write_header(made, nullptr));
    packet = make_packet();
    frame = make_frame();
    frame->format = codec->pix_fmt;
    frame->width = padded.width;
    frame->height = padded.height;
    frame->pts = 0;
    check(av_frame_get_buffer(frame.get(), 0));
    scaler.reset(sws_getContext(padded.width, padded.height, AV_PIX_FMT_BGR24, padded.width, padded.height,
                                codec->pix_fmt, SWS_BICUBIC, nullptr, nullptr, nullptr));
    if (scaler == nullptr) throw Failure(CVB_CANNOT_WRITE, "the frames cannot be converted");
}

void cvb_writer::encode(const AVFrame *picture) {
    check(avcodec_send_frame(codec.get(), picture));
    int result = 0;
    while ((result = avcodec_receive_packet(codec.get(), packet.get())) >= 0) {
        packet->stream_index = stream->index;
        av_packet_rescale_ts(packet.get(), codec->time_base, stream->time_base);
        check(av_interleaved_write_frame(format.get(), packet.get()));
    }
    if (result != AVERROR(EAGAIN) && result != AVERROR_EOF) check(result);
}

cvb_status cvb_writer_open(const char *path, double frame_rate, int32_t width, int32_t height, cvb_writer **writer,
                           cvb_error error) {
    return guarded(error, [&] {
        auto opened = std::make_unique<cvb_writer>();
        opened->size = cv::Size(width, height);
        opened->padded = cv::Size(width + width % 2, height + height % 2);
        opened->open(path, av_d2q(frame_rate, largest_rate_numerator));
        *writer = opened.release();
        return CVB_OK;
    });
}

cvb_status cvb_writer_append(cvb_writer *writer, cvb_view image, cvb_error error) {
    return guarded(error, [&] {
        cv::Mat pixels = matrix(image);
        if (pixels.size() != writer->size || pixels.channels() != 3) {
            throw Failure(CVB_INTERNAL, "a frame must be BGR and of the video's size");
        }
        // A copy in any case: libswscale may read a little beyond the last pixel.
        cv::Mat source = writer->buffer.matrix(writer->padded.width, writer->padded.height, 3);
        cv::copyMakeBorder(pixels, source, 0, writer->padded.height - writer->size.height, 0,
                           writer->padded.width - writer->size.width, cv::BORDER_REPLICATE);
        AVFrame *frame = writer->frame.get();
        check(av_frame_make_writable(frame));
        const uint8_t *const planes[] = {source.data};
        const int strides[] = {static_cast<int>(source.step)};
        sws_scale(writer->scaler.get(), planes, strides, 0, source.rows, frame->data, frame->linesize);
        writer->encode(frame);
        frame->pts++;
        return CVB_OK;
    });
}

void cvb_writer_close(cvb_writer *writer) {
    std::unique_ptr<cvb_writer> closed(writer);
    guarded(cvb_error{nullptr, 0}, [&] {
        closed->encode(nullptr);
        check(av_write_trailer(closed->format.get()));
        return CVB_OK;
    });
}
