#ifndef CZLIB_SHIM_H
#define CZLIB_SHIM_H

#include <zlib.h>

/// deflateInit2() is a macro. Starts a gzip member (RFC 1952) without name or time, so that the same bytes give the
/// same bytes.
static inline int czlib_gzip_init(z_stream *stream, int level) {
    const int largest_window = 15, gzip_wrapper = 16, memory_level = 8;
    return deflateInit2(stream, level, Z_DEFLATED, largest_window + gzip_wrapper, memory_level, Z_DEFAULT_STRATEGY);
}

#endif
