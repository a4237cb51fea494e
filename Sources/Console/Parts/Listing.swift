import Foundation
import Store
import Web

/// A column of a list.
package struct Column: Sendable {
    package var title: String
    /// What the list is ordered by where its heading is followed: once, and once more.
    package var orders: (Query.Order, Query.Order)?
    package var isNumber: Bool

    package init(_ title: String, orders: (Query.Order, Query.Order)? = nil, isNumber: Bool = false) {
        self.title = title
        self.orders = orders
        self.isNumber = isNumber
    }
}

/// A row of a list.
package struct ListRow: Sendable {
    package var id: String
    package var name: String
    package var href: String
    package var cells: [Cell]

    package init(id: String, name: String, href: String, cells: [Cell]) {
        self.id = id
        self.name = name
        self.href = href
        self.cells = cells
    }
}

/// What a list shows: which page of it, filtered and ordered how. Taken from the page's address.
package struct ListRequest: Sendable {
    package static let pageSize = 25

    package var search: String
    package var phase: String
    package var order: Query.Order
    package var page: Int
    /// Filters of the kind's own, by their names in the address.
    package var more: [String: String]

    package init(_ query: QueryItems, more names: [String] = []) {
        search = query["q"]?.trimmingCharacters(in: .whitespaces) ?? ""
        phase = query["state"] ?? ""
        order = query["sort"].flatMap(Query.Order.init) ?? .newest
        page = max(1, query["page"].flatMap { Int($0) } ?? 1)
        more = Dictionary(uniqueKeysWithValues: names.compactMap { name in query[name].map { (name, $0) } })
        // Nothing asks for more of them than anybody has.
        page = min(page, 1_000_000)
    }

    package var isFiltered: Bool { !search.isEmpty || !phase.isEmpty || !more.values.allSatisfy(\.isEmpty) }

    package func apply(to query: inout Query) {
        query.search = search
        query.phases = phase.isEmpty ? [] : [phase]
        query.order = order
        query.limit = ListRequest.pageSize
        query.offset = (page - 1) * ListRequest.pageSize
    }

    /// The address of the same list, changed.
    func address(_ path: String, order: Query.Order? = nil, page: Int = 1) -> String {
        var items: [(String, String)] = [("q", search), ("state", phase)]
        items += more.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        items.append(("sort", (order ?? self.order) == .newest ? "" : (order ?? self.order).rawValue))
        items.append(("page", page == 1 ? "" : "\(page)"))
        let query = items.filter { !$0.1.isEmpty }.map { "\($0.0)=\($0.1.pathEscaped)" }.joined(separator: "&")
        return query.isEmpty ? path : "\(path)?\(query)"
    }
}

/// A list with its filters, headings, rows and pages.
package struct Listing: Sendable {
    package struct Filter: Sendable {
        package var name: String
        package var label: String
        package var options: [Field.Option]

        package init(_ name: String, _ label: String, _ options: [Field.Option]) {
            self.name = name
            self.label = label
            self.options = options
        }
    }

    package var request: ListRequest
    package var path: String
    package var label: String
    package var columns: [Column]
    package var rows: [ListRow]
    package var total: Int
    /// "1,234 trainings".
    package var countText: String
    package var filters: [Filter]
    /// Where rows can be picked: what to do with those picked.
    package var pick: (name: String, action: String)?

    package init(
        request: ListRequest, path: String, label: String, columns: [Column], rows: [ListRow], total: Int,
        countText: String, filters: [Filter], pick: (name: String, action: String)? = nil
    ) {
        self.request = request
        self.path = path
        self.label = label
        self.columns = columns
        self.rows = rows
        self.total = total
        self.countText = countText
        self.filters = filters
        self.pick = pick
    }

    package func model(_ t: Strings) -> [String: Any] {
        let first = (request.page - 1) * ListRequest.pageSize
        let last = first + rows.count
        var model: [String: Any] = [
            "path": path, "label": label, "q": request.search, "count": countText, "hasRows": !rows.isEmpty,
            "columns": columns.map(heading),
            "filters": filters.map { filter -> [String: Any] in
                let chosen = filter.name == "state" ? request.phase : request.more[filter.name] ?? ""
                return [
                    "name": filter.name, "label": filter.label,
                    "options": filter.options.map { option -> [String: Any] in
                        ["value": option.value, "name": option.name, "selected": option.value == chosen]
                    },
                ]
            },
            "rows": rows.map { row -> [String: Any] in
                let cells = zip(row.cells, columns).map { cell, column -> [String: Any] in
                    ["cell": cell.model, "isNumber": column.isNumber]
                }
                return [
                    "id": row.id, "name": row.name, "href": row.href, "cells": cells,
                    "pickLabel": t("list.pick", ["name": row.name]),
                ]
            },
            "isPicking": pick != nil,
        ]
        if request.order != .newest { model["sort"] = request.order.rawValue }
        if request.isFiltered { model["isFiltered"] = ["clear": path] }
        if let pick { model["pick"] = ["name": pick.name, "action": pick.action] }
        if total > ListRequest.pageSize || request.page > 1 {
            var pager: [String: Any] = [
                "text": t(
                    "list.range",
                    [
                        "first": t.number(rows.isEmpty ? 0 : first + 1), "last": t.number(last),
                        "total": t.number(total),
                    ])
            ]
            if request.page > 1 {
                let pages = (total + ListRequest.pageSize - 1) / ListRequest.pageSize
                pager["previous"] = request.address(path, page: min(request.page - 1, max(1, pages)))
            }
            if last < total { pager["next"] = request.address(path, page: request.page + 1) }
            model["pager"] = pager
        }
        return model
    }

    private func heading(_ column: Column) -> [String: Any] {
        var model: [String: Any] = ["title": column.title, "isNumber": column.isNumber]
        guard let (up, down) = column.orders else { return model }
        let isUp = request.order == up
        let isDown = request.order == down
        model["sort"] = [
            "href": request.address(path, order: isUp ? down : up),
            "arrow": isUp ? "↑" : isDown ? "↓" : "",
        ]
        if isUp || isDown { model["sorted"] = isUp ? "ascending" : "descending" }
        return model
    }
}
