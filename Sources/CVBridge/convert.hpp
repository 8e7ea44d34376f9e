#pragma once

#include <memory>
#include <vector>

#include "ffmpeg.hpp"
#include "support.hpp"

struct SwsContext;

namespace cvbridge {

/// Memory for a picture on its way, aligned as libswscale likes it, with room after it that may be read and written.
class Scratch {
  public:
    /// The memory as a picture of that size; the last one's pixels are gone.
    cv::Mat matrix(int width, int height, int channels);

  private:
    std::vector<uint8_t> bytes;
};

/// Turns decoded frames into grey and BGR of 8 bits.
///
/// Grey is the frame's own luma, expanded to 0-255 where the video has the narrow range of 16-235 (ITU-R BT.601), so
/// the colours of a YUV frame are not computed for it. It equals the BT.601 luma of the BGR colours but for their
/// rounding and clipping: BGR is made with BT.601's matrix whatever the video names, as OpenCV does it.
class FrameConverter {
  public:
    FrameConverter();
    ~FrameConverter();

    /// Whether the frame has luma; else its grey must be computed from BGR.
    static bool has_luma(const AVFrame &frame);
    /// Whether the frame has nothing but luma.
    static bool is_gray(const AVFrame &frame);

    /// Both targets have the frame's size, and `overrun` writable bytes after their last row.
    void write_luma(const AVFrame &frame, cv::Mat &target);
    void write_bgr(const AVFrame &frame, cv::Mat &target);

    /// How far libswscale's vector code may write past a row.
    static constexpr size_t overrun = CVB_OVERRUN;

  private:
    struct Scaler;
    /// One for each target format: a scaler is expensive to make.
    std::unique_ptr<Scaler> to_gray, to_bgr;
};

}  // namespace cvbridge
