/// A field of a form. Its name is the one that the API's JSON has, so that what the API refuses is shown beside it.
package struct Field: Sendable {
    package struct Option: Sendable {
        package var value: String
        package var name: String
        /// `data-…` attributes that scripts go by.
        package var data: [String: String]
        /// Why it cannot be chosen.
        package var isDisabled: Bool

        package init(_ value: String, _ name: String, data: [String: String] = [:], isDisabled: Bool = false) {
            self.value = value
            self.name = name
            self.data = data
            self.isDisabled = isDisabled
        }
    }

    package enum Kind: Sendable {
        case text
        case number(ClosedRange<Int>)
        case password
        case area
        /// A text that counts exactly as it is typed, white space and line ends included.
        case verbatim
        case check
        case choice([Option])
        /// A place in storage: `folder`, `file`, or `py` for a program below the folder in another field.
        case path(mode: String, base: String? = nil)
        /// Rows of fields; the names of `columns` follow the row's number.
        indirect case rows([Field], add: String)
    }

    package var name: String
    package var label: String
    package var kind: Kind
    package var hint: String?
    package var isOptional = false
    package var placeholder: String?
    package var value: String?
    /// Only shown while another field has a value: `useTorchrun=true`.
    package var showWhen: String?
    /// Filled from another field, with `{}` in the pattern for its slug, until the user types something else.
    package var follows: (field: String, pattern: String)?
    /// Further `data-…` attributes of the control.
    package var data: [String: String] = [:]
    package var autocomplete: String?

    package init(
        _ name: String, _ label: String, _ kind: Kind = .text, hint: String? = nil, isOptional: Bool = false,
        placeholder: String? = nil, value: String? = nil, showWhen: String? = nil,
        follows: (field: String, pattern: String)? = nil, data: [String: String] = [:], autocomplete: String? = nil
    ) {
        self.name = name
        self.label = label
        self.kind = kind
        self.hint = hint
        self.isOptional = isOptional
        self.placeholder = placeholder
        self.value = value
        self.showWhen = showWhen
        self.follows = follows
        self.data = data
        self.autocomplete = autocomplete
    }
}

/// Fields that belong together, under a heading.
package struct FieldGroup: Sendable {
    package var title: String
    package var hint: String?
    /// Fields side by side where there is room.
    package var rows: [[Field]]
    /// Closed until opened, unless something in it is wrong: what most people leave as it is.
    package var isFolded: Bool

    package init(_ title: String, hint: String? = nil, isFolded: Bool = false, _ rows: [[Field]]) {
        self.title = title
        self.hint = hint
        self.rows = rows
        self.isFolded = isFolded
    }
}
