/// e^x for x in −700…700 to about one unit in the last place, by Taylor's series after a reduction to |r| ≤ ½ ln 2.
///
/// The standard library has no exponential, and a C library's may round differently on another machine.
package func exponential(_ x: Double) -> Double {
    let (log2e, ln2High, ln2Low) = (1.4426950408889634, 0.693147180369123816490, 1.90821492927058770002e-10)
    let k = (min(max(x, -700), 700) * log2e).rounded()
    let r = (min(max(x, -700), 700) - k * ln2High) - k * ln2Low
    var sum = 1.0
    for n in stride(from: 14.0, through: 1, by: -1) { sum = 1 + sum * r / n }
    return sum * Double(sign: .plus, exponent: Int(k), significand: 1)
}

/// ln x for positive, finite x to about two units in the last place, by the series of the inverse hyperbolic tangent after
/// a reduction to √½ … √2.
package func naturalLogarithm(_ x: Double) -> Double {
    precondition(x > 0 && x.isFinite, "a logarithm needs a positive number")
    let (ln2High, ln2Low) = (0.693147180369123816490, 1.90821492927058770002e-10)
    let isLarge = x.significand > 1.4142135623730951
    let mantissa = isLarge ? x.significand / 2 : x.significand
    let exponent = Double(x.exponent) + (isLarge ? 1 : 0)
    let t = (mantissa - 1) / (mantissa + 1)
    // |t| ≤ 0.172: the terms left out are below 10⁻¹⁷ of the first.
    var sum = 0.0
    for n in stride(from: 21.0, through: 1, by: -2) { sum = sum * t * t + 1 / n }
    return exponent * ln2High + (2 * t * sum + exponent * ln2Low)
}
