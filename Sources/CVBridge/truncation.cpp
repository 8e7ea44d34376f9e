#include "truncation.hpp"

#include <string>

namespace cvbridge {
namespace {

/// The samples of an MP4's tables, of its fragments too as far as they were read, and how many of them end after the
/// file does.
struct Samples {
    int64_t shown;
    int64_t missing;
};

Samples count_samples(AVStream *stream, int64_t file_size) {
    Samples samples = {0, 0};
    for (int i = 0; i < avformat_index_get_entries_count(stream); i++) {
        const AVIndexEntry *entry = avformat_index_get_entry(stream, i);
        if ((entry->flags & AVINDEX_DISCARD_FRAME) != 0) continue;
        samples.shown++;
        if (entry->pos > file_size - entry->size) samples.missing++;
    }
    return samples;
}

/// Whether an MP4 with fragments ends inside of a box (ISO/IEC 14496-12, 4.2 and 8.8).
bool ends_inside_fragment(AVIOContext *io, int64_t file_size, const std::function<void()> &beat) {
    constexpr int64_t header_size = 8;
    bool has_fragments = false;
    int64_t position = 0;
    while (file_size - position >= header_size) {
        beat();
        if (avio_seek(io, position, SEEK_SET) < 0) return false;
        uint64_t box_size = avio_rb32(io);
        has_fragments |= avio_rl32(io) == MKTAG('m', 'o', 'o', 'f');
        if (box_size == 1) box_size = avio_rb64(io);
        // 0 is a box up to the file's end; less than a header is no box.
        if (box_size < header_size) return false;
        if (box_size > static_cast<uint64_t>(file_size - position)) return has_fragments;
        position += static_cast<int64_t>(box_size);
    }
    return has_fragments && position < file_size;
}

/// Whether an AVI ends inside of one of its RIFF lists; long ones have several (OpenDML AVI File Format Extensions,
/// 1996). Programs that could not go back to fill in the size leave a 0.
bool ends_inside_riff(AVIOContext *io, int64_t file_size, const std::function<void()> &beat) {
    constexpr int64_t header_size = 8;
    int64_t position = 0;
    while (file_size - position > header_size) {
        beat();
        if (avio_seek(io, position, SEEK_SET) < 0 || avio_rl32(io) != MKTAG('R', 'I', 'F', 'F')) return false;
        int64_t size = avio_rl32(io);
        if (size == UINT32_MAX) return false;
        position += header_size + size;
        if (position > file_size) return true;
        position += size % 2;
    }
    return false;
}

/// An EBML variable-size integer, without its marker (RFC 8794, section 4); -1 where it says "unknown" or is none.
int64_t read_ebml_number(AVIOContext *io) {
    int first = avio_r8(io);
    if (first == 0) return -1;
    int length = __builtin_clz(static_cast<unsigned>(first)) - 23;
    int64_t number = first & (0xFF >> length);
    for (int i = 1; i < length; i++) number = number << 8 | avio_r8(io);
    return number == (int64_t(1) << 7 * length) - 1 ? -1 : number;
}

/// Whether a Matroska file ends inside of its segment. One that was streamed declares no size (RFC 9559, section 5.1).
bool ends_inside_segment(AVIOContext *io, int64_t file_size) {
    constexpr int64_t ebml_id = 0xA45DFA3, segment_id = 0x8538067;
    if (avio_seek(io, 0, SEEK_SET) < 0 || read_ebml_number(io) != ebml_id) return false;
    int64_t header_size = read_ebml_number(io);
    if (header_size < 0 || avio_skip(io, header_size) < 0 || read_ebml_number(io) != segment_id) return false;
    int64_t size = read_ebml_number(io);
    return size > file_size - avio_tell(io);
}

}  // namespace

Truncation find_truncation(AVFormatContext *format, AVStream *stream, size_t frames,
                           const std::function<void()> &beat) {
    AVIOContext *io = format->pb;
    int64_t file_size = avio_size(io);
    if (file_size < 0) return {false, 0};
    std::string demuxer = format->iformat->name;
    if (demuxer == "avi") {
        // The header counts places in time, of which some may hold no frame: it says nothing of a file that is whole.
        bool lacks_frames = stream->nb_frames <= 0 || static_cast<int64_t>(frames) < stream->nb_frames;
        return {lacks_frames && ends_inside_riff(io, file_size, beat), stream->nb_frames};
    }
    if (demuxer.rfind("matroska", 0) == 0) return {ends_inside_segment(io, file_size), 0};
    Samples samples = count_samples(stream, file_size);
    return {samples.missing > 0 || ends_inside_fragment(io, file_size, beat), samples.shown};
}

}  // namespace cvbridge
