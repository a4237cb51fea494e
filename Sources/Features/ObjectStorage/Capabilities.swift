import Storage

/// What `GET /info` tells clients that they may use. The keys are Swift's.
struct Capabilities: Encodable {
    private static let swift: [String: Int64] = [
        "max_file_size": DiskStore.largestObject,
        "max_object_name_length": Int64(Names.longestObject),
        "max_container_name_length": Int64(Names.longestContainer),
        "account_listing_limit": Int64(ListQuery.pageSize),
        "container_listing_limit": Int64(ListQuery.pageSize),
        "max_meta_name_length": Int64(MetadataLimits.name),
        "max_meta_value_length": Int64(MetadataLimits.value),
        "max_meta_count": Int64(MetadataLimits.count),
        "max_meta_overall_size": Int64(MetadataLimits.overall),
    ]

    var swift = Self.swift
    var slo: [String: Int64] = [
        "max_manifest_segments": Int64(DiskStore.mostSegments),
        "max_manifest_size": Int64(SwiftCall.largestManifest),
        "min_segment_size": 1,
    ]
    var dlo: [String: Int64] = ["max_segments": Int64(ListQuery.pageSize)]
}
