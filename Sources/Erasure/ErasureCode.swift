import CISAL
package import NIOCore
import Synchronization

/// A systematic Reed–Solomon code over GF(2^8) (polynomial 0x11d) with a Cauchy matrix, computed by ISA-L.
///
/// With one data shard every row is 1, so that the parity shards are copies.
package final class ErasureCode: Sendable {
    private let dataShards: Int
    private let parityShards: Int
    /// (k + m) rows of k coefficients, the identity first.
    private let matrix: ByteBuffer
    private let parityTables: ByteBuffer
    private let decoders = Mutex<[Pattern: ByteBuffer]>([:])

    /// Which cells are there, and which are to be computed from them.
    private struct Pattern: Hashable {
        var present: [Int]
        var wanted: [Int]
    }

    /// Tables kept at once: more than the patterns of losing any two of sixteen shards.
    private static let mostDecoders = 256

    /// How far apart cells lie best: a line of the processor's cache more than they are long, which is also room for
    /// their checksums.
    ///
    /// Cells whose length is a power of two would otherwise compete for the same few places of its first cache; the
    /// page ISAL of Decisions has the figures.
    package static func stride(ofCells length: Int) -> Int { length + 64 }

    package init(_ geometry: Geometry) throws(ErasureError) {
        (dataShards, parityShards) = (geometry.dataShards, geometry.parityShards)
        let (rows, columns) = (geometry.shards, geometry.dataShards)
        var matrix = ByteBuffer(repeating: 1, count: rows * columns)
        if columns > 1 {
            var bytes = matrix.mutableReadableBytesSpan
            cisal_cauchy(Int32(rows), Int32(columns), &bytes)
        }
        let parityRows = matrix.getSlice(at: columns * columns, length: parityShards * columns) ?? ByteBuffer()
        self.matrix = matrix
        parityTables = try Self.tables(parityRows, columns: columns)
    }

    /// Computes the parity cells of a stripe.
    ///
    /// - Parameters:
    ///   - stripe: k + m regions of `stride` bytes, each beginning with a cell; the parity cells are overwritten.
    ///   - cell: Bytes of each cell.
    /// - Throws: `layout` where the buffer is too short.
    package func encode(_ stripe: inout ByteBuffer, cell: Int, stride: Int) throws(ErasureError) {
        guard parityShards > 0 else { return }
        try combine(&stripe, outputs: parityShards, tables: parityTables, cell: cell, stride: stride)
    }

    /// Computes the `wanted` cells of a stripe from k others.
    ///
    /// - Parameters:
    ///   - wanted: Numbers of the shards to compute, none of them among `present`.
    ///   - present: Numbers of exactly k different shards.
    ///   - cells: A region of `stride` bytes, beginning with a cell, for each of `present`, then for each of `wanted`,
    ///     which are overwritten.
    /// - Throws: `layout` where numbers or lengths do not fit.
    package func reconstruct(
        _ wanted: [Int], from present: [Int], cells: inout ByteBuffer, cell: Int, stride: Int
    ) throws(ErasureError) {
        guard !wanted.isEmpty else { return }
        let tables = try decoder(Pattern(present: present, wanted: wanted))
        try combine(&cells, outputs: wanted.count, tables: tables, cell: cell, stride: stride)
    }

    private func combine(
        _ cells: inout ByteBuffer, outputs: Int, tables: ByteBuffer, cell: Int, stride: Int
    ) throws(ErasureError) {
        let length = cells.readableBytes
        var bytes = cells.mutableReadableBytesSpan
        let status = cisal_combine(
            Int32(dataShards), Int32(outputs), tables.readableBytesSpan, &bytes, Int32(cell), Int32(stride))
        guard status == 0 else { throw .layout("cells of \(cell) at \(stride) in \(length) bytes") }
    }

    private func decoder(_ pattern: Pattern) throws(ErasureError) -> ByteBuffer {
        if let tables = decoders.withLock({ $0[pattern] }) { return tables }
        let tables = try Self.tables(coefficients(pattern), columns: dataShards)
        decoders.withLock { decoders in
            if decoders.count >= Self.mostDecoders { decoders.removeAll() }
            decoders[pattern] = tables
        }
        return tables
    }

    /// Rows that give the wanted cells from the present ones: the generator's rows times the inverse of what is
    /// present.
    private func coefficients(_ pattern: Pattern) throws(ErasureError) -> ByteBuffer {
        let k = dataShards
        let (numbers, named) = (0..<k + parityShards, pattern.present + pattern.wanted)
        guard pattern.present.count == k, Set(named).count == named.count, named.allSatisfy(numbers.contains) else {
            throw .layout("cells \(pattern.wanted) from \(pattern.present)")
        }
        guard k > 1 else { return ByteBuffer(repeating: 1, count: pattern.wanted.count) }
        var rows = ByteBuffer()
        for number in pattern.present { rows.writeImmutableBuffer(row(number)) }
        var inverse = ByteBuffer(repeating: 0, count: k * k)
        try Self.invert(&rows, into: &inverse, size: k)
        var coefficients = ByteBuffer()
        for number in pattern.wanted {
            var product = ByteBuffer(repeating: 0, count: k)
            var bytes = product.mutableReadableBytesSpan
            let status = cisal_product(
                Int32(k), row(number).readableBytesSpan, inverse.readableBytesSpan, &bytes)
            guard status == 0 else { throw .layout("a row of \(k)") }
            coefficients.writeBuffer(&product)
        }
        return coefficients
    }

    private func row(_ number: Int) -> ByteBuffer {
        matrix.getSlice(at: number * dataShards, length: dataShards) ?? ByteBuffer()
    }

    private static func invert(
        _ rows: inout ByteBuffer, into inverse: inout ByteBuffer, size: Int
    ) throws(ErasureError) {
        var rowBytes = rows.mutableReadableBytesSpan
        var inverseBytes = inverse.mutableReadableBytesSpan
        guard cisal_invert(Int32(size), &rowBytes, &inverseBytes) == 0 else {
            throw .layout("\(size) shards that cannot be inverted")
        }
    }

    private static func tables(_ coefficients: ByteBuffer, columns: Int) throws(ErasureError) -> ByteBuffer {
        let count = coefficients.readableBytes
        guard count > 0 else { return ByteBuffer() }
        var tables = ByteBuffer(repeating: 0, count: count * 32)
        var bytes = tables.mutableReadableBytesSpan
        let status = cisal_tables(
            Int32(count / columns), Int32(columns), coefficients.readableBytesSpan, &bytes)
        guard status == 0 else { throw .layout("\(count) coefficients in rows of \(columns)") }
        return tables
    }
}
