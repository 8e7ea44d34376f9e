#pragma once

#include <cstdint>
#include <functional>

extern "C" {
#include <libavformat/avformat.h>
}

namespace cvbridge {

/// What a container declares and the file no longer holds.
struct Truncation {
    bool truncated;
    /// Frames that are shown, by the container's own count; 0 where it has none.
    int64_t declared_frames;
};

/// Compares what the container declares with the file's length, after all packets were read: `frames` of them are
/// shown. A file that declares no length, as one that was streamed or is still being written, is not truncated. `beat`
/// is called now and then.
Truncation find_truncation(AVFormatContext *format, AVStream *stream, size_t frames, const std::function<void()> &beat);

}  // namespace cvbridge
