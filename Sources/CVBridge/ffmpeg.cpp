#include "ffmpeg.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <vector>

#include "support.hpp"

namespace cvbridge {
namespace {

/// A descriptor as FFmpeg reads it: with an offset of its own.
struct Source {
    int descriptor;
    int64_t position;
};

constexpr int buffer_size = 1 << 15;

int read_source(void *opaque, uint8_t *buffer, int size) {
    auto *source = static_cast<Source *>(opaque);
    ssize_t count = 0;
    do {
        count = pread(source->descriptor, buffer, static_cast<size_t>(size), source->position);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return AVERROR(errno);
    if (count == 0) return AVERROR_EOF;
    source->position += count;
    return static_cast<int>(count);
}

int64_t seek_source(void *opaque, int64_t offset, int whence) {
    auto *source = static_cast<Source *>(opaque);
    struct stat status;
    if (fstat(source->descriptor, &status) < 0) return AVERROR(errno);
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE) return status.st_size;
    int64_t base = whence == SEEK_CUR ? source->position : whence == SEEK_END ? status.st_size : 0;
    int64_t position = 0;
    if (__builtin_add_overflow(base, offset, &position) || position < 0) return AVERROR(EINVAL);
    return source->position = position;
}

/// What a file refers to stays closed.
int refuse_open(AVFormatContext *, AVIOContext **, const char *, int, AVDictionary **) { return AVERROR(EPERM); }

void close_source(AVIOContext *io) {
    delete static_cast<Source *>(io->opaque);
    av_freep(&io->buffer);
    avio_context_free(&io);
}

AVIOContext *open_source(int descriptor) {
    auto *buffer = static_cast<uint8_t *>(av_malloc(buffer_size));
    if (buffer == nullptr) throw std::bad_alloc();
    auto *source = new (std::nothrow) Source{descriptor, 0};
    AVIOContext *io = source == nullptr
                          ? nullptr
                          : avio_alloc_context(buffer, buffer_size, 0, source, read_source, nullptr, seek_source);
    if (io == nullptr) {
        delete source;
        av_free(buffer);
        throw std::bad_alloc();
    }
    return io;
}

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

void FormatDeleter::operator()(AVFormatContext *format) const {
    AVIOContext *own = (format->flags & AVFMT_FLAG_CUSTOM_IO) != 0 ? format->pb : nullptr;
    avformat_close_input(&format);
    if (own != nullptr) close_source(own);
}

Format open_format(int descriptor, const char *demuxer, int64_t max_pixels) {
    const AVInputFormat *input = av_find_input_format(demuxer);
    if (input == nullptr) throw Failure(CVB_INTERNAL, std::string("FFmpeg has no demuxer ") + demuxer);
    AVFormatContext *opened = avformat_alloc_context();
    if (opened == nullptr) throw std::bad_alloc();
    Format format(opened);
    opened->pb = open_source(descriptor);
    opened->flags |= AVFMT_FLAG_CUSTOM_IO;
    opened->io_open = refuse_open;
    AVDictionary *options = nullptr;
    av_dict_set(&options, "protocol_whitelist", "none", 0);
    av_dict_set(&options, "format_whitelist", input->name, 0);
    take_ffmpeg_message();
    AVIOContext *io = opened->pb;
    int result = avformat_open_input(&opened, nullptr, input, &options);
    av_dict_free(&options);
    if (result < 0) {
        // FFmpeg has freed the context, and not what it reads from.
        (void)format.release();
        close_source(io);
        throw Failure(CVB_UNDECODABLE, error_text(result));
    }
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
