import Primitives
import Testing

@Suite("Timestamps")
struct TimestampTests {
    private let example = Timestamp(seconds: 1_369_353_600)

    @Test("are written in S3's three forms")
    func formats() {
        #expect(example.iso8601 == "2013-05-24T00:00:00.000Z")
        let bytes = example.iso8601Bytes
        #expect(bytes.indices.map { bytes[$0] } == Array(example.iso8601.utf8))
        #expect(example.iso8601Basic == "20130524T000000Z")
        #expect(example.basicDate == "20130524")
        #expect(example.httpDate == "Fri, 24 May 2013 00:00:00 GMT")
    }

    @Test(
        "are read from every form that HTTP and S3 allow",
        arguments: [
            Timestamp(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT"), Timestamp(httpDate: "Sunday, 06-Nov-94 08:49:37 GMT"),
            Timestamp(httpDate: "Sun Nov  6 08:49:37 1994"), Timestamp(iso8601: "1994-11-06T08:49:37Z"),
            Timestamp(iso8601: "1994-11-06T10:49:37.000+02:00"), Timestamp(iso8601Basic: "19941106T084937Z"),
        ])
    func parsing(_ time: Timestamp?) {
        #expect(time == Timestamp(seconds: 784_111_777))
    }

    @Test(
        "refuse what is no date",
        arguments: [
            "20130230T000000Z", "20131301T000000Z", "20130524T250000Z", "2013052T000000Z", "", "20130524T000000",
        ])
    func refusal(_ text: String) {
        #expect(Timestamp(iso8601Basic: text) == nil)
    }

    @Test("are told apart from the first year to the last", arguments: [("1678", "2261"), ("2261", "1678")])
    func difference(_ earlier: String, _ later: String) throws {
        let first = try #require(Timestamp(iso8601: "\(earlier)-01-01T00:00:00Z"))
        let last = try #require(Timestamp(iso8601: "\(later)-01-01T00:00:00Z"))
        // 583 years, of which 141 have a day more.
        let days: Int64 = 583 * 365 + 141
        #expect(last - first == .seconds(days * 86_400 * (earlier < later ? 1 : -1)))
    }

    @Test("go through the calendar and back for every day of four centuries")
    func roundTrip() {
        for day in stride(from: Int64(-80_000), to: 66_000, by: 1) {
            let time = Timestamp(seconds: day * 86_400 + 12_345)
            #expect(CivilTime(time).timestamp == time)
        }
    }
}
