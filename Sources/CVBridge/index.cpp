#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "ffmpeg.hpp"
#include "support.hpp"
#include "truncation.hpp"

extern "C" {
#include <libavutil/display.h>
}

using namespace cvbridge;

namespace {

struct ParserDeleter {
    void operator()(AVCodecParserContext *parser) const { av_parser_close(parser); }
};

/// A display matrix maps (x, y) to (a·x + c·y, b·x + d·y). Turns by other than quarters are left alone.
cvb_orientation orientation_of(const AVStream *stream) {
    cvb_orientation orientation = {false, false, false};
    size_t size = 0;
    const uint8_t *data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    if (data == nullptr || size < 9 * sizeof(int32_t)) return orientation;
    const int32_t *m = reinterpret_cast<const int32_t *>(data);
    int64_t a = m[0], b = m[1], c = m[3], d = m[4];
    if (a != 0 && d != 0 && b == 0 && c == 0) {
        orientation = {false, a < 0, d < 0};
    } else if (a == 0 && d == 0 && b != 0 && c != 0) {
        orientation = {true, c < 0, b < 0};
    }
    return orientation;
}

/// Finds the sizes that the packets themselves name, for the codecs whose headers FFmpeg can parse.
class SizeWatcher {
  public:
    explicit SizeWatcher(const AVCodecParameters *parameters)
        : parser(av_parser_init(parameters->codec_id)), codec(avcodec_alloc_context3(nullptr)) {
        if (parser != nullptr) parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
        if (codec == nullptr || avcodec_parameters_to_context(codec.get(), parameters) < 0) throw std::bad_alloc();
    }

    /// Whether the packet's size differs from the first packet's.
    bool changes(const AVPacket *packet) {
        if (parser == nullptr) return false;
        uint8_t *output = nullptr;
        int output_size = 0;
        av_parser_parse2(parser.get(), codec.get(), &output, &output_size, packet->data, packet->size, packet->pts,
                         packet->dts, packet->pos);
        if (parser->width <= 0 || parser->height <= 0) return false;
        if (width == 0) {
            width = parser->width;
            height = parser->height;
        }
        return parser->width != width || parser->height != height;
    }

  private:
    std::unique_ptr<AVCodecParserContext, ParserDeleter> parser;
    Codec codec;
    int width = 0, height = 0;
};

/// Whether decoding the packet gives a frame: not what an edit list cuts off, not VP8's hidden reference frames
/// (RFC 6386, section 9.1, show_frame).
bool is_shown(const AVPacket *packet, AVCodecID codec) {
    if ((packet->flags & AV_PKT_FLAG_DISCARD) != 0 || packet->size == 0) return false;
    return codec != AV_CODEC_ID_VP8 || (packet->data[0] >> 4 & 1) != 0;
}

}  // namespace

struct cvb_index {
    cvb_index_info info;
    std::vector<int64_t> stamps;
};

namespace {

/// Reads all packets that there are. Whether they end because the file does, and not because of damage.
bool read_packets(AVFormatContext *format, const AVStream *stream, size_t max_frames, void (*progress)(void *),
                  void *context, cvb_index &index) {
    AVCodecID codec = stream->codecpar->codec_id;
    SizeWatcher sizes(stream->codecpar);
    Packet packet = make_packet();
    int64_t resized_stamp = AV_NOPTS_VALUE;
    int64_t previous = AV_NOPTS_VALUE;
    int result = 0;
    while ((result = av_read_frame(format, packet.get())) >= 0) {
        progress(context);
        if (packet->stream_index == stream->index && is_shown(packet.get(), codec)) {
            int64_t stamp = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
            if (stamp == AV_NOPTS_VALUE) stamp = previous == AV_NOPTS_VALUE ? 0 : previous + 1;
            previous = stamp;
            if (index.stamps.size() >= max_frames) {
                throw Failure(CVB_LIMIT, "it holds more than " + std::to_string(max_frames) + " frames");
            }
            index.stamps.push_back(stamp);
            if (resized_stamp == AV_NOPTS_VALUE && sizes.changes(packet.get())) resized_stamp = stamp;
        }
        av_packet_unref(packet.get());
    }
    if (result == AVERROR(ENOMEM)) throw std::bad_alloc();
    std::sort(index.stamps.begin(), index.stamps.end());
    if (resized_stamp != AV_NOPTS_VALUE) {
        auto position = std::lower_bound(index.stamps.begin(), index.stamps.end(), resized_stamp);
        index.info.resized_frame = position - index.stamps.begin();
    }
    return result == AVERROR_EOF;
}

}  // namespace

cvb_status cvb_index_open(int32_t descriptor, const char *demuxer, size_t max_frames, int64_t max_pixels,
                          void (*progress)(void *), void *context, cvb_index **index, cvb_error error) {
    return guarded(error, [&] {
        Format format = open_format(descriptor, demuxer, max_pixels);
        AVStream *stream = select_stream(format.get());
        auto made = std::make_unique<cvb_index>();
        int64_t pixels = static_cast<int64_t>(stream->codecpar->width) * stream->codecpar->height;
        if (pixels > max_pixels) {
            throw Failure(CVB_LIMIT, "its frames have " + std::to_string(pixels) + " pixels, and " +
                                         std::to_string(max_pixels) + " are allowed");
        }
        cvb_index_info &info = made->info;
        info.width = stream->codecpar->width;
        info.height = stream->codecpar->height;
        info.orientation = orientation_of(stream);
        info.time_base_numerator = stream->time_base.num;
        info.time_base_denominator = stream->time_base.den;
        AVRational rate = stream->avg_frame_rate.num > 0 ? stream->avg_frame_rate : stream->r_frame_rate;
        info.rate_numerator = rate.num;
        info.rate_denominator = rate.den;
        info.codec = avcodec_get_name(stream->codecpar->codec_id);
        info.has_presentation_stamps = std::string(demuxer) != "avi";
        info.resized_frame = -1;
        bool is_read_through = read_packets(format.get(), stream, max_frames, progress, context, *made);
        Truncation truncation = find_truncation(format.get(), stream, made->stamps.size(), [&] { progress(context); });
        info.truncated = truncation.truncated || !is_read_through;
        info.declared_frames = truncation.declared_frames;
        info.stamps = made->stamps.data();
        info.count = made->stamps.size();
        *index = made.release();
        return CVB_OK;
    });
}

cvb_index_info cvb_index_get(const cvb_index *index) { return index->info; }

void cvb_index_close(cvb_index *index) { delete index; }
