#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "ffmpeg.hpp"
#include "support.hpp"

using namespace cvbridge;

namespace {

/// Ticks a second of MP4 output: the common multiple of the usual frame rates, and what MPEG itself counts in.
constexpr int mp4_ticks = 90000;

void check(int result, const char *what) {
    if (result >= 0) return;
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(result, text, sizeof text);
    throw Failure(CVB_CANNOT_WRITE, std::string(what) + ": " + text);
}

Format open_input(const char *path) {
    AVFormatContext *opened = nullptr;
    check(avformat_open_input(&opened, path, nullptr, nullptr), "cannot read the encoded video");
    Format input(opened);
    check(avformat_find_stream_info(opened, nullptr), "cannot read the encoded video");
    if (opened->nb_streams != 1) throw Failure(CVB_CANNOT_WRITE, "the encoded video is empty");
    return input;
}

OutputFormat open_output(const char *path, const char *muxer, const AVStream *source) {
    AVFormatContext *made = nullptr;
    check(avformat_alloc_output_context2(&made, nullptr, muxer, path), "no such container");
    OutputFormat output(made);
    AVStream *stream = avformat_new_stream(made, nullptr);
    if (stream == nullptr) throw std::bad_alloc();
    check(avcodec_parameters_copy(stream->codecpar, source->codecpar), "cannot copy the codec's parameters");
    bool is_avi = made->oformat->flags & AVFMT_NOTIMESTAMPS || std::string(muxer) == "avi";
    stream->time_base = is_avi ? av_inv_q(source->avg_frame_rate) : AVRational{1, mp4_ticks};
    stream->avg_frame_rate = source->avg_frame_rate;
    check(avio_open(&made->pb, path, AVIO_FLAG_WRITE), "cannot open the output");
    AVDictionary *options = nullptr;
    // The index first, so that a browser can start before it has the whole file.
    av_dict_set(&options, "movflags", "faststart", 0);
    int result = avformat_write_header(made, &options);
    av_dict_free(&options);
    check(result, "cannot write the container's header");
    return output;
}

/// Presentation stamps in decoding order.
std::vector<int64_t> read_stamps(AVFormatContext *input) {
    std::vector<int64_t> stamps;
    Packet packet = make_packet();
    while (av_read_frame(input, packet.get()) >= 0) {
        stamps.push_back(packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts);
        av_packet_unref(packet.get());
    }
    return stamps;
}

/// For each packet in decoding order, which frame it is in order of presentation.
std::vector<size_t> ranks_of(const std::vector<int64_t> &stamps) {
    std::vector<int64_t> sorted = stamps;
    std::sort(sorted.begin(), sorted.end());
    std::vector<size_t> ranks;
    for (int64_t stamp : stamps) {
        ranks.push_back(static_cast<size_t>(std::lower_bound(sorted.begin(), sorted.end(), stamp) - sorted.begin()));
    }
    return ranks;
}

/// When frame `i` is shown, in ticks of the output, rising strictly; one entry more than frames, for the last's
/// duration.
std::vector<int64_t> schedule(const AVStream *stream, const double *times, size_t count, AVRational frame_rate) {
    std::vector<int64_t> ticks;
    bool constant = times == nullptr || stream->time_base.den != mp4_ticks;
    int64_t period = std::max<int64_t>(1, av_rescale_q(1, av_inv_q(frame_rate), stream->time_base));
    for (size_t i = 0; i < count; i++) {
        int64_t tick = constant ? av_rescale_q(static_cast<int64_t>(i), av_inv_q(frame_rate), stream->time_base)
                                : std::llround((times[i] - times[0]) * mp4_ticks);
        if (!ticks.empty()) tick = std::max(tick, ticks.back() + 1);
        ticks.push_back(tick);
    }
    ticks.push_back(ticks.back() + (count > 1 ? ticks[count - 1] - ticks[count - 2] : period));
    return ticks;
}

/// How many frames decoding runs ahead of presentation.
size_t delay_of(const std::vector<size_t> &ranks) {
    size_t delay = 0;
    for (size_t n = 0; n < ranks.size(); n++) {
        if (n > ranks[n]) delay = std::max(delay, n - ranks[n]);
    }
    return delay;
}

}  // namespace

cvb_status cvb_remux(const char *source, const char *target, const char *muxer, const double *times, size_t count,
                     cvb_error error) {
    return guarded(error, [&] {
        std::vector<size_t> ranks = ranks_of(read_stamps(open_input(source).get()));
        if (ranks.size() != count || count == 0) {
            throw Failure(CVB_CANNOT_WRITE, "the encoder wrote " + std::to_string(ranks.size()) + " of " +
                                                std::to_string(count) + " frames");
        }
        Format input = open_input(source);
        OutputFormat output = open_output(target, muxer, input->streams[0]);
        const AVStream *stream = output->streams[0];
        std::vector<int64_t> ticks = schedule(stream, times, count, input->streams[0]->avg_frame_rate);
        size_t delay = delay_of(ranks);
        // Frames that are decoded ahead of the first one's time come at its pace, so that the average rate stays true.
        int64_t first_period = ticks[1] - ticks[0];
        Packet packet = make_packet();
        for (size_t n = 0; n < count; n++) {
            check(av_read_frame(input.get(), packet.get()), "cannot read the encoded video");
            packet->pts = ticks[ranks[n]];
            packet->duration = ticks[ranks[n] + 1] - ticks[ranks[n]];
            packet->dts = n >= delay ? ticks[n - delay] : ticks[0] - static_cast<int64_t>(delay - n) * first_period;
            packet->pos = -1;
            check(av_interleaved_write_frame(output.get(), packet.get()), "cannot write the video");
        }
        check(av_write_trailer(output.get()), "cannot write the container's index");
        check(avio_closep(&output->pb), "cannot write the video");
        return CVB_OK;
    });
}
