import ArgumentParser

/// Tags as `--tag KEY=VALUE` and `--untag KEY` change them. The API takes the whole list.
enum TagChange {
    static func tags(of item: JSONValue) -> [KeyValue] {
        (item["tagList"].array ?? []).map { KeyValue(key: $0["tagKey"].text, value: $0["tagValue"].text) }
    }

    static func applied(to old: [KeyValue], setting: [KeyValue], removing: [String]) -> [KeyValue] {
        var tags = old.filter { !removing.contains($0.key) }
        for tag in setting {
            if let index = tags.firstIndex(where: { $0.key == tag.key }) { tags[index] = tag } else { tags.append(tag) }
        }
        return tags
    }

    static func wire(_ tags: [KeyValue]) -> JSONValue {
        .array(tags.map { .object(["tagKey": .string($0.key), "tagValue": .string($0.value)]) })
    }
}
