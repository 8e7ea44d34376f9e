#pragma once

#include <cstdint>
#include <memory>
#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
}

namespace cvbridge {

struct FormatDeleter {
    void operator()(AVFormatContext *format) const;
};
struct OutputDeleter {
    void operator()(AVFormatContext *format) const {
        avio_closep(&format->pb);
        avformat_free_context(format);
    }
};
struct CodecDeleter {
    void operator()(AVCodecContext *codec) const { avcodec_free_context(&codec); }
};
struct PacketDeleter {
    void operator()(AVPacket *packet) const { av_packet_free(&packet); }
};
struct FrameDeleter {
    void operator()(AVFrame *frame) const { av_frame_free(&frame); }
};
using Format = std::unique_ptr<AVFormatContext, FormatDeleter>;
/// Closes its file.
using OutputFormat = std::unique_ptr<AVFormatContext, OutputDeleter>;
using Codec = std::unique_ptr<AVCodecContext, CodecDeleter>;
using Packet = std::unique_ptr<AVPacket, PacketDeleter>;
using Frame = std::unique_ptr<AVFrame, FrameDeleter>;

Packet make_packet();
Frame make_frame();

/// What FFmpeg logged last as an error, or what the code means.
std::string error_text(int code);

/// Reads a file that is open already with one demuxer. There is no way to any other file: a playlist or a concat script
/// would make FFmpeg open some. No packet that the file holds only in part is given, and no picture of more than
/// `max_pixels` is decoded to learn the streams' parameters. The descriptor stays the caller's, and so does its offset.
Format open_format(int descriptor, const char *demuxer, int64_t max_pixels);

/// The first video stream; all others are skipped.
AVStream *select_stream(AVFormatContext *format);

}  // namespace cvbridge
