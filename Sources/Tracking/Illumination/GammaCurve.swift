import LucasKanade

/// Gamma correction of an 8-bit image by a table: `v' = 255 · (v / 255)^exponent`, rounded.
///
/// An exponent below 1 brightens shadows, one above 1 darkens them; 1 changes nothing.
public struct GammaCurve: Sendable {
    /// 256 entries.
    public let table: [UInt8]

    /// - Parameter exponent: more than 0 and finite.
    public init(exponent: Double) {
        precondition(exponent > 0 && exponent.isFinite, "a gamma exponent is positive")
        table = (0...255).map { value in
            guard value > 0 else { return 0 }
            return UInt8((255 * exponential(exponent * naturalLogarithm(Double(value) / 255))).rounded())
        }
    }

    /// A new image with every byte passed through the table.
    public func apply(to image: Image) -> Image {
        table.withUnsafeBufferPointer { table in
            Image.mapRows(of: image) { _, source, target in
                for x in source.indices { target[x] = table[Int(source[x])] }
            }
        }
    }
}

extension Image {
    /// A new image of the same size whose rows are made from this one's: the closure gets the row's number, its bytes
    /// and the bytes to fill.
    static func mapRows(
        of image: Image,
        _ body: (Int, UnsafeBufferPointer<UInt8>, UnsafeMutableBufferPointer<UInt8>) -> Void
    ) -> Image {
        let rowBytes = image.width * image.channels
        let pixels = [UInt8](unsafeUninitializedCapacity: rowBytes * image.height) { output, count in
            image.withBytes { bytes in
                let input = bytes.bindMemory(to: UInt8.self)
                for y in 0..<image.height {
                    let source = UnsafeBufferPointer(
                        rebasing: input[y * image.bytesPerRow..<y * image.bytesPerRow + rowBytes])
                    let target = UnsafeMutableBufferPointer(rebasing: output[y * rowBytes..<(y + 1) * rowBytes])
                    body(y, source, target)
                }
            }
            count = rowBytes * image.height
        }
        return Image(width: image.width, height: image.height, channels: image.channels, pixels: pixels)
    }
}
