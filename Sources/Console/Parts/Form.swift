import Foundation
import Resource
import Web

/// A form: its fields, what they hold, and what was wrong with them.
package struct Form: Sendable {
    package var groups: [FieldGroup]
    package var submit: String
    /// Where to go instead; nil for a form that is only a part of its page.
    package var cancel: String?
    /// Where it goes; the page's own address unless told.
    package var action: String?

    package init(_ groups: [FieldGroup], submit: String, cancel: String? = nil, action: String? = nil) {
        self.groups = groups
        self.submit = submit
        self.cancel = cancel
        self.action = action
    }

    private var fields: [Field] { groups.flatMap { $0.rows.flatMap(\.self) } }

    /// What was typed, tidied up: without empty fields, and with what follows from another field filled in, as a script
    /// would have done.
    package func tidied(_ typed: FormFields) -> FormFields {
        var verbatim: Set<String> = []
        var typed = typed
        for field in fields {
            guard case .rows(let columns, _) = field.kind else { continue }
            for case (let name, .verbatim) in columns.map({ ($0.name, $0.kind) }) { verbatim.insert(name) }
            // A choice without an empty option always has a value: alone it does not make a row.
            let choices = columns.filter {
                if case .choice(let options) = $0.kind { !options.contains { $0.value.isEmpty } } else { false }
            }
            typed.removeRows(of: field.name, filledOnlyIn: Set(choices.map(\.name)))
        }
        var tidy = typed.compacted(verbatim: verbatim)
        for field in fields {
            guard let follows = field.follows, !field.isOptional, tidy[field.name] == nil,
                let slug = tidy[follows.field].map(Form.slug), !slug.isEmpty
            else { continue }
            tidy.set(field.name, follows.pattern.replacing("{}", with: slug))
        }
        return tidy
    }

    /// A name as a part of a path: the same as in `forms.js`.
    package static func slug(_ name: String) -> String {
        let dashed = name.replacing(/[^\p{L}\p{N}._-]+/, with: "-")
        return dashed.replacing(/^[-.]+|[-.]+$/, with: "")
    }

    /// The fields' own values, where the given ones have none.
    package func proposals(beneath given: FormFields) -> FormFields {
        var result = given
        for field in fields {
            if case .rows = field.kind { continue }
            if let value = field.value, result[field.name] == nil { result.set(field.name, value) }
        }
        return result
    }

    /// The request that a tidied form stands for, as the API would get it.
    package func json(_ tidy: FormFields) -> Data {
        var numbers: Set<String> = []
        var flags: Set<String> = []
        for field in fields {
            switch field.kind {
            case .number: numbers.insert(field.name)
            case .check: flags.insert(field.name)
            case .rows(let columns, _):
                for case (let name, .number) in columns.map({ ($0.name, $0.kind) }) {
                    for row in 0..<tidy.rowCount(field.name) { numbers.insert("\(field.name)[\(row)].\(name)") }
                }
            case .text, .password, .area, .verbatim, .choice, .path: break
            }
        }
        return tidy.json(numbers: numbers, flags: flags)
    }

    /// Whether somebody, or what was copied, has set something in it.
    private func isFilled(_ group: FieldGroup, _ typed: Typed?) -> Bool {
        guard let typed else { return false }
        return group.rows.joined().contains { field in
            if case .rows = field.kind { return typed.rowCount(field.name) > 0 }
            let value = typed.values[field.name] ?? ""
            return !value.isEmpty && value != field.value
        }
    }

    /// - Parameters:
    ///   - typed: what was sent, tidied; nil for a fresh form, which shows the fields' own values.
    ///   - errors: what was wrong with it.
    package func model(_ t: Strings, typed: FormFields? = nil, errors: [TakumiError] = []) -> [String: Any] {
        let typed = typed.map { fields in
            Typed(
                values: Dictionary(fields.pairs.map { ($0.name, $0.value) }) { $1 }, rowCount: fields.rowCount)
        }
        var labels: [String: String] = [:]
        var order: [String] = []
        let groups = groups.map { group -> [String: Any] in
            var isWrong = false
            let rows = group.rows.map { row -> [String: Any] in
                let models = row.map { field -> [String: Any] in
                    let model = FieldModel(t: t, typed: typed, errors: errors).model(field)
                    for wrong in model.wrong {
                        labels[wrong.name] = wrong.label
                        order.append(wrong.name)
                        isWrong = true
                    }
                    return model.content
                }
                return ["fields": models, "isRow": row.count > 1]
            }
            var model: [String: Any] = [
                "title": group.title, "rows": rows, "isFolded": group.isFolded,
                "isOpen": isWrong || isFilled(group, typed),
            ]
            if let hint = group.hint { model["hint"] = hint }
            return model
        }
        var model: [String: Any] = ["groups": groups, "submit": submit]
        if let cancel { model["cancel"] = cancel }
        if let action { model["action"] = action }
        if !errors.isEmpty {
            // In the order of the page; what has no place on it comes last.
            func place(_ error: TakumiError) -> Int { error.field.flatMap(order.firstIndex) ?? order.count }
            let sorted = errors.enumerated().sorted { left, right in
                (place(left.element), left.offset) < (place(right.element), right.offset)
            }
            model["problem"] =
                [
                    "title": t.count("form.problems", errors.count),
                    "items": sorted.map(\.element).map { error -> [String: Any] in
                        guard let field = error.field, let label = labels[field] else { return ["text": error.line] }
                        return ["text": "\(label): \(error.message)", "id": FieldModel.id(field)]
                    },
                ] as [String: Any]
        }
        return model
    }
}

/// What was typed, by name.
private struct Typed {
    var values: [String: String]
    var rowCount: (String) -> Int
}

/// A field as its template wants it.
private struct FieldModel {
    let t: Strings
    let typed: Typed?
    let errors: [TakumiError]

    static func id(_ name: String) -> String {
        "field-" + name.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
    }

    private static let spareRows = 4

    typealias Wrong = (name: String, label: String)

    func model(_ field: Field) -> (content: [String: Any], wrong: [Wrong]) {
        if case .rows(let columns, let add) = field.kind { return rows(field, columns, add) }
        var wrong: [Wrong] = []
        let content = control(field, name: field.name, label: field.label, wrong: &wrong)
        return (content, wrong)
    }

    /// - Parameter label: of the field in the summary of what is wrong, where its row must be told, too.
    private func control(_ field: Field, name: String, label: String, wrong: inout [Wrong]) -> [String: Any] {
        let id = FieldModel.id(name)
        var model: [String: Any] = [
            "id": id, "name": name, "label": field.label, "isOptional": field.isOptional,
            "data": attributes(field),
        ]
        let value = typed.map { $0.values[name] ?? "" } ?? field.value ?? ""
        model["value"] = value
        if let hint = field.hint { model["hint"] = hint }
        if let placeholder = field.placeholder { model["placeholder"] = placeholder }
        if let autocomplete = field.autocomplete { model["autocomplete"] = autocomplete }
        if let showWhen = field.showWhen { model["showWhen"] = showWhen }
        let problems = errors.filter { $0.field == name }.map(\.message)
        model["isInvalid"] = !problems.isEmpty
        if !problems.isEmpty {
            wrong.append((name, label))
            model["error"] = problems.joined(separator: "; ")
        }
        let described = (field.hint != nil ? ["\(id)-hint"] : []) + (problems.isEmpty ? [] : ["\(id)-error"])
        if !described.isEmpty { model["describedBy"] = described.joined(separator: " ") }
        switch field.kind {
        case .text: model["isInput"] = ["type": "text"]
        case .password: model["isInput"] = ["type": "password"]
        case .number(let range):
            model["isInput"] = [
                "type": "number", "range": ["min": "\(range.lowerBound)", "max": "\(range.upperBound)"],
            ]
        case .area: model["isArea"] = ["rows": "3"]
        case .verbatim: model["isArea"] = ["rows": "1"]
        case .check:
            model["isCheck"] = true
            model["isChecked"] = ["true", "on", "1"].contains(value)
        case .choice(let options):
            model["isChoice"] = true
            model["options"] = options.map { option -> [String: Any] in
                [
                    "value": option.value, "name": option.name, "selected": option.value == value,
                    "isDisabled": option.isDisabled && option.value != value, "data": pairs(option.data),
                ]
            }
        case .path(let mode, let base):
            var path: [String: Any] = ["mode": mode]
            if let base { path["base"] = base }
            model["isPath"] = path
        case .rows: break
        }
        return model
    }

    private func rows(_ field: Field, _ columns: [Field], _ add: String) -> (
        content: [String: Any], wrong: [Wrong]
    ) {
        var wrong: [Wrong] = []
        // The kind of list itself may be wrong: too many entries.
        let problems = errors.filter { $0.field == field.name }.map(\.message)
        if !problems.isEmpty { wrong.append((field.name, field.label)) }
        func row(_ number: String) -> [String: Any] {
            let place = Int(number).map { "\(field.label) \($0 + 1)" } ?? field.label
            let cells = columns.map { column in
                control(
                    column, name: "\(field.name)[\(number)].\(column.name)", label: "\(place), \(column.label)",
                    wrong: &wrong)
            }
            return ["cells": cells]
        }
        let filled = typed?.rowCount(field.name) ?? 0
        // Without scripts nobody adds rows: some are always free. With them all but one go.
        let shown = filled + FieldModel.spareRows
        // Rows of many fields: a free one below each would be half a page of nothing.
        let isLean = field.data["lean"] != nil
        // Inside, since the template looks for hint and error of the list itself in nothing around it.
        var list: [String: Any] =
            [
                "name": field.name, "add": add, "template": row("#"),
                "rows": (0..<shown).map { number in
                    row("\(number)").merging(["isSpare": number > (isLean ? max(0, filled - 1) : filled)]) { $1 }
                },
            ]
        if let hint = field.hint { list["hint"] = hint }
        if !problems.isEmpty { list["error"] = problems.joined(separator: "; ") }
        let model: [String: Any] = [
            "isRows": list, "label": field.label, "id": FieldModel.id(field.name), "isInvalid": !problems.isEmpty,
            "data": pairs(field.data),
        ]
        return (model, wrong)
    }

    private func attributes(_ field: Field) -> [[String: Any]] {
        var data = field.data
        if let follows = field.follows {
            data["default-from"] = follows.field
            data["default"] = follows.pattern
        }
        return pairs(data)
    }

    private func pairs(_ data: [String: String]) -> [[String: Any]] {
        data.sorted { $0.key < $1.key }.map { ["name": $0.key, "value": $0.value] }
    }
}
