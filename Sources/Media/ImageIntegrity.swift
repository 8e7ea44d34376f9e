/// Whether a compressed image is there to its end.
///
/// libjpeg fills what is missing of a JPEG with grey and calls that a warning, so OpenCV returns such a picture as if it
/// were whole. A tracker would follow the grey.
package enum ImageIntegrity {
    /// `nil` where the image is whole, else what is missing. Formats other than JPEG and PNG are left to their decoders,
    /// which fail on a file that is too short.
    package static func flaw(of bytes: [UInt8], format: ImageFormat) -> String? {
        switch format {
        case .jpeg: jpegFlaw(bytes)
        case .png: pngFlaw(bytes)
        case .bmp, .webp, .tiff: nil
        }
    }

    /// Walks over the segments (ITU-T T.81, B.1.1) and the scans to the EOI marker.
    private static func jpegFlaw(_ bytes: [UInt8]) -> String? {
        var position = 2
        var scans = 0
        while let marker = nextMarker(bytes, from: &position) {
            switch marker {
            case endOfImage:
                return scans > 0 ? nil : "it holds no picture"
            case 0x01, 0xD0...0xD8:
                continue  // TEM, RSTn and SOI stand alone.
            default:
                guard position + 2 <= bytes.count else { return truncated }
                let length = Int(bytes[position]) << 8 | Int(bytes[position + 1])
                guard length >= 2 else { return "a segment has a wrong length" }
                position += length
                if marker == startOfScan { scans += 1 }
            }
        }
        return truncated
    }

    /// The next marker's second byte; skips entropy-coded data, in which 0xFF is followed by 0 (T.81, F.1.2.3).
    private static func nextMarker(_ bytes: [UInt8], from position: inout Int) -> UInt8? {
        while position + 1 < bytes.count {
            let isMarker = bytes[position] == 0xFF && bytes[position + 1] != 0 && bytes[position + 1] != 0xFF
            guard isMarker else {
                position += 1
                continue
            }
            position += 2
            return bytes[position - 1]
        }
        return nil
    }

    /// Walks over the chunks (ISO/IEC 15948, 5.3) to IEND.
    private static func pngFlaw(_ bytes: [UInt8]) -> String? {
        var position = 8
        while position + 12 <= bytes.count {
            let length = bytes[position..<(position + 4)].reduce(0) { $0 << 8 | Int($1) }
            if bytes[(position + 4)..<(position + 8)].elementsEqual("IEND".utf8) { return nil }
            position += 12 + length
        }
        return truncated
    }

    private static let endOfImage: UInt8 = 0xD9
    private static let startOfScan: UInt8 = 0xDA
    private static let truncated = "it is cut off"
}
