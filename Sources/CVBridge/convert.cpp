#include "convert.hpp"

#include <algorithm>
#include <cstring>

extern "C" {
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

namespace cvbridge {
namespace {

const AVPixFmtDescriptor &description(const AVFrame &frame) {
    const AVPixFmtDescriptor *found = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
    if (found == nullptr) throw Failure(CVB_UNDECODABLE, "the frame has an unknown pixel format");
    return *found;
}

/// Whether luma uses all of 0-255. Grey formats without a range that is named do, as libswscale has it.
bool is_full_range(const AVFrame &frame) {
    switch (frame.format) {
        case AV_PIX_FMT_YUVJ420P:
        case AV_PIX_FMT_YUVJ422P:
        case AV_PIX_FMT_YUVJ444P:
        case AV_PIX_FMT_YUVJ440P:
        case AV_PIX_FMT_YUVJ411P:
        case AV_PIX_FMT_GRAY8:
            return true;
        default:
            return frame.color_range == AVCOL_RANGE_JPEG;
    }
}

/// Whether the first plane is luma of 8 bits, one byte after the other.
bool has_luma_plane(const AVPixFmtDescriptor &format) {
    const AVComponentDescriptor &luma = format.comp[0];
    return luma.plane == 0 && luma.step == 1 && luma.offset == 0 && luma.shift == 0 && luma.depth == 8;
}

/// 16-235 to 0-255, rounded. 298/256 is 255/219 to 3 in 10000, and 219 * 298 + 128 still fits into 16 bits, of which a
/// vector holds twice as many as of 32.
void expand_row(const uint8_t *source, uint8_t *target, int width) {
    constexpr uint8_t black = 16, white = 235;
    constexpr uint16_t factor = 298, half = 128;
    for (int x = 0; x < width; x++) {
        uint16_t luma = static_cast<uint16_t>(std::clamp(source[x], black, white) - black);
        target[x] = static_cast<uint8_t>(static_cast<uint16_t>(luma * factor + half) >> 8);
    }
}

}  // namespace

cv::Mat Scratch::matrix(int width, int height, int channels) {
    constexpr size_t row_alignment = 64;
    size_t row = static_cast<size_t>(width) * static_cast<size_t>(channels);
    size_t stride = (row + row_alignment - 1) / row_alignment * row_alignment;
    bytes.resize(stride * static_cast<size_t>(height) + FrameConverter::overrun);
    return cv::Mat(height, width, CV_8UC(channels), bytes.data(), stride);
}

struct FrameConverter::Scaler {
    SwsContext *context = nullptr;
    int width = 0, height = 0, format = AV_PIX_FMT_NONE;
    bool full_range = false;

    ~Scaler() { sws_freeContext(context); }

    void prepare(const AVFrame &frame, AVPixelFormat target) {
        bool is_full = is_full_range(frame);
        if (context != nullptr && width == frame.width && height == frame.height && format == frame.format &&
            full_range == is_full) {
            return;
        }
        sws_freeContext(context);
        auto source = static_cast<AVPixelFormat>(frame.format);
        // The size stays, so the flag only chooses how coarser chroma is spread. Most video, 4:2:0 with an even height,
        // goes a faster way that heeds no flag.
        context = sws_isSupportedInput(source) > 0
                      ? sws_getContext(frame.width, frame.height, source, frame.width, frame.height, target,
                                       SWS_BICUBIC, nullptr, nullptr, nullptr)
                      : nullptr;
        if (context == nullptr) throw Failure(CVB_UNDECODABLE, "the frame's pixel format cannot be converted");
        if (is_full) {
            const int *matrix = sws_getCoefficients(SWS_CS_DEFAULT);
            constexpr int one = 1 << 16;
            sws_setColorspaceDetails(context, matrix, 1, matrix, 1, 0, one, one);
        }
        width = frame.width;
        height = frame.height;
        format = frame.format;
        full_range = is_full;
    }

    void run(const AVFrame &frame, AVPixelFormat target_format, cv::Mat &target) {
        prepare(frame, target_format);
        uint8_t *const planes[] = {target.data};
        const int strides[] = {static_cast<int>(target.step)};
        if (sws_scale(context, frame.data, frame.linesize, 0, frame.height, planes, strides) != frame.height) {
            throw Failure(CVB_UNDECODABLE, "the frame cannot be converted");
        }
    }
};

FrameConverter::FrameConverter() : to_gray(std::make_unique<Scaler>()), to_bgr(std::make_unique<Scaler>()) {}

FrameConverter::~FrameConverter() = default;

bool FrameConverter::has_luma(const AVFrame &frame) {
    const AVPixFmtDescriptor &format = description(frame);
    constexpr uint64_t others =
        AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_BITSTREAM;
    return (format.flags & others) == 0;
}

bool FrameConverter::is_gray(const AVFrame &frame) { return has_luma(frame) && description(frame).nb_components <= 2; }

void FrameConverter::write_luma(const AVFrame &frame, cv::Mat &target) {
    if (!has_luma_plane(description(frame))) {
        to_gray->run(frame, AV_PIX_FMT_GRAY8, target);
        return;
    }
    bool is_full = is_full_range(frame);
    for (int y = 0; y < frame.height; y++) {
        const uint8_t *row = frame.data[0] + static_cast<ptrdiff_t>(y) * frame.linesize[0];
        if (is_full) {
            memcpy(target.ptr(y), row, static_cast<size_t>(frame.width));
        } else {
            expand_row(row, target.ptr(y), frame.width);
        }
    }
}

void FrameConverter::write_bgr(const AVFrame &frame, cv::Mat &target) { to_bgr->run(frame, AV_PIX_FMT_BGR24, target); }

}  // namespace cvbridge
