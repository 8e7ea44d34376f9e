#include "ffmpeg.hpp"

#include <new>
#include <vector>

#include "support.hpp"

namespace cvbridge {
namespace {

/// Reads the streams' parameters, without decoding a picture of more than `max_pixels` for it.
void find_streams(AVFormatContext *format, int64_t max_pixels) {
    std::vector<AVDictionary *> options(format->nb_streams, nullptr);
    for (AVDictionary *&entry : options) av_dict_set_int(&entry, "max_pixels", max_pixels, 0);
    int result = avformat_find_stream_info(format, options.data());
    for (AVDictionary *&entry : options) av_dict_free(&entry);
    if (result < 0) throw Failure(CVB_UNDECODABLE, error_text(result));
}

}  // namespace

Packet make_packet() {
    Packet packet(av_packet_alloc());
    if (packet == nullptr) throw std::bad_alloc();
    return packet;
}

Frame make_frame() {
    Frame frame(av_frame_alloc());
    if (frame == nullptr) throw std::bad_alloc();
    return frame;
}

std::string error_text(int code) {
    std::string message = take_ffmpeg_message();
    if (!message.empty()) return message;
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, text, sizeof text);
    return text;
}

Format open_format(const char *path, const char *demuxer, int64_t max_pixels) {
    const AVInputFormat *input = av_find_input_format(demuxer);
    if (input == nullptr) throw Failure(CVB_INTERNAL, std::string("FFmpeg has no demuxer ") + demuxer);
    AVDictionary *options = nullptr;
    av_dict_set(&options, "protocol_whitelist", "file", 0);
    av_dict_set(&options, "format_whitelist", input->name, 0);
    AVFormatContext *opened = nullptr;
    take_ffmpeg_message();
    int result = avformat_open_input(&opened, path, input, &options);
    av_dict_free(&options);
    if (result < 0) throw Failure(CVB_UNDECODABLE, error_text(result));
    Format format(opened);
    opened->flags |= AVFMT_FLAG_DISCARD_CORRUPT;
    find_streams(opened, max_pixels);
    return format;
}

AVStream *select_stream(AVFormatContext *format) {
    AVStream *selected = nullptr;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        AVStream *stream = format->streams[i];
        if (selected == nullptr && stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
            selected = stream;
        } else {
            stream->discard = AVDISCARD_ALL;
        }
    }
    if (selected == nullptr) throw Failure(CVB_UNDECODABLE, "it holds no video stream");
    return selected;
}

}  // namespace cvbridge
