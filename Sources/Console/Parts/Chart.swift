import Foundation
import Hummingbird
import NIOCore
import Web

/// A chart as scripts draw it.
package struct Chart: Sendable, Encodable {
    package struct Series: Sendable, Encodable {
        package var label: String
        /// Pairs of x and y.
        package var points: [[Double]]

        package init(label: String, points: [[Double]]) {
            self.label = label
            self.points = points
        }
    }

    package var id: String
    package var title: String
    /// `percent`, `bytes`, `bytesPerSecond`, `count` or `none`.
    package var unit: String
    /// `time` in seconds since 1970, or `step`.
    package var x: String
    package var series: [Series]
    /// From where to where x goes; nil for what there is.
    package var range: [Double]?

    package init(_ id: String, _ title: String, unit: String, x: String, _ series: [Series]) {
        self.id = id
        self.title = title
        self.unit = unit
        self.x = x
        self.series = series
    }

    private struct Charts: Encodable {
        var charts: [Chart]
    }

    package static func response(_ charts: [Chart]) throws -> Response { try PageJSON.response(Charts(charts: charts)) }

    /// As many points as a chart can show: the mean of each stretch, at the stretch's end.
    package static func thinned(_ points: [[Double]], to limit: Int = 400) -> [[Double]] {
        guard points.count > limit else { return points }
        let size = (points.count + limit - 1) / limit
        return stride(from: 0, to: points.count, by: size).map { start in
            let stretch = points[start..<min(start + size, points.count)]
            let mean = stretch.reduce(0) { $0 + $1[1] } / Double(stretch.count)
            return [stretch[stretch.endIndex - 1][0], mean]
        }
    }
}

/// What scripts of a page get.
package enum PageJSON {
    package static func response(_ value: some Encodable) throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(bytes: try WireJSON.encode(value))))
    }
}
