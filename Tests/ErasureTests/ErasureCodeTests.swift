import Erasure
import NIOCore
import Testing

@Suite struct ErasureCodeTests {
    /// Encodes random data cells and returns all cells, having checked the parity against the reference.
    private func stripe(_ geometry: Geometry, cell: Int, seed: UInt64) throws -> [[UInt8]] {
        var generator = TestGenerator(seed: seed)
        let data = (0..<geometry.dataShards).map { _ in generator.bytes(cell) }
        let stride = cell + 8
        var buffer = ByteBuffer(repeating: 0xaa, count: geometry.shards * stride)
        for (index, bytes) in data.enumerated() { buffer.setBytes(bytes, at: index * stride) }
        try ErasureCode(geometry).encode(&buffer, cell: cell, stride: stride)
        let parity = ReferenceCode(dataShards: geometry.dataShards, parityShards: geometry.parityShards)
            .parity(of: data)
        let cells = data + parity
        for (index, bytes) in cells.enumerated() {
            #expect(buffer.getBytes(at: index * stride, length: cell) == bytes, "shard \(index)")
            #expect(buffer.getBytes(at: index * stride + cell, length: 8) == [UInt8](repeating: 0xaa, count: 8))
        }
        return cells
    }

    private func reconstruct(
        _ code: ErasureCode, _ wanted: [Int], from present: [Int], _ cells: [[UInt8]]
    ) throws -> [[UInt8]] {
        let (cell, stride) = (cells[0].count, cells[0].count + 8)
        var buffer = ByteBuffer(repeating: 0x55, count: (present.count + wanted.count) * stride)
        for (position, index) in present.enumerated() { buffer.setBytes(cells[index], at: position * stride) }
        try code.reconstruct(wanted, from: present, cells: &buffer, cell: cell, stride: stride)
        return try wanted.indices.map {
            try #require(buffer.getBytes(at: (present.count + $0) * stride, length: cell))
        }
    }

    @Test(arguments: [(1, 0), (1, 2), (2, 1), (4, 2), (8, 4), (12, 4), (32, 16)])
    func parityIsWhatTheReferenceComputes(_ dataShards: Int, _ parityShards: Int) throws {
        for cell in [64, 192, 1088] {
            let geometry = try Geometry(dataShards: dataShards, parityShards: parityShards, cellSize: 4096)
            _ = try stripe(geometry, cell: cell, seed: UInt64(cell + dataShards))
        }
    }

    @Test func everyPatternOfLossesOfFourPlusTwoIsComputed() throws {
        let geometry = try Geometry(dataShards: 4, parityShards: 2, cellSize: 64)
        let code = try ErasureCode(geometry)
        let cells = try stripe(geometry, cell: 64, seed: 7)
        for mask in 0..<64 where mask.nonzeroBitCount <= 2 {
            let lost = (0..<6).filter { mask >> $0 & 1 == 1 }
            let present = Array((0..<6).filter { !lost.contains($0) }.suffix(4))
            let computed = try reconstruct(code, lost, from: present, cells)
            #expect(computed == lost.map { cells[$0] }, "lost \(lost)")
        }
    }

    @Test(arguments: [(1, 2), (8, 4), (12, 4), (32, 16)])
    func randomPatternsOfLossesAreComputed(_ dataShards: Int, _ parityShards: Int) throws {
        let geometry = try Geometry(dataShards: dataShards, parityShards: parityShards, cellSize: 128)
        let code = try ErasureCode(geometry)
        let cells = try stripe(geometry, cell: 128, seed: 11)
        var generator = TestGenerator(seed: 13)
        for _ in 0..<300 {
            let order = (0..<geometry.shards).shuffled(using: &generator)
            let (present, wanted) = (Array(order.prefix(dataShards)), Array(order.dropFirst(dataShards)))
            #expect(try reconstruct(code, wanted, from: present, cells) == wanted.map { cells[$0] })
        }
    }

    @Test func numbersThatDoNotFitAreRefused() throws {
        let code = try ErasureCode(Geometry(dataShards: 4, parityShards: 2, cellSize: 64))
        var cells = ByteBuffer(repeating: 0, count: 6 * 72)
        for (present, wanted) in [
            ([0, 1, 2], [3]), ([0, 1, 2, 2], [3]), ([0, 1, 2, 3], [3]), ([0, 1, 2, 6], [3]), ([0, 1, 2, -1], [3]),
        ] {
            #expect(throws: ErasureError.self) {
                try code.reconstruct(wanted, from: present, cells: &cells, cell: 64, stride: 72)
            }
        }
        #expect(throws: ErasureError.self) { try code.encode(&cells, cell: 128, stride: 136) }
        #expect(throws: ErasureError.self) { try code.encode(&cells, cell: 64, stride: 63) }
    }

    @Test func geometriesHaveLimits() {
        for (k, m, cell) in [
            (0, 2, 64), (33, 2, 64), (4, -1, 64), (4, 17, 64), (4, 2, 0), (4, 2, 65), (4, 2, (4 << 20) + 64),
        ] {
            #expect(throws: ErasureError.self) { try Geometry(dataShards: k, parityShards: m, cellSize: cell) }
        }
    }
}
