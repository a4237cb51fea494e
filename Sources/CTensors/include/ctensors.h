// Tensors and JSON for the model server: simdjson finds the tokens, the rest is written for arrays of numbers.
//
// Nothing here keeps what it is given: texts and data of a result point into the input or into the parser, and are valid until
// the parser is used again. A parser serves one thread at a time.
#ifndef TAKUMI_CTENSORS_H
#define TAKUMI_CTENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Datatypes of the Open Inference Protocol. The numbers are ours and never leave the process.
enum {
    TAKUMI_BOOL,
    TAKUMI_INT8,
    TAKUMI_INT16,
    TAKUMI_INT32,
    TAKUMI_INT64,
    TAKUMI_UINT8,
    TAKUMI_UINT16,
    TAKUMI_UINT32,
    TAKUMI_UINT64,
    TAKUMI_FP16,
    TAKUMI_BF16,
    TAKUMI_FP32,
    TAKUMI_FP64,
    TAKUMI_BYTES,
    TAKUMI_DATATYPES,
};

enum {
    /// As many axes as NumPy 2 allows.
    TAKUMI_MAX_RANK = 64,
};

struct takumi_text {
    /// Null where there is none.
    const char *start;
    size_t length;
};

struct takumi_tensor {
    struct takumi_text name;
    int datatype;
    int rank;
    const int64_t *shape;
    /// Little-endian, row-major. Null where the elements lie in the body, from `offset` on.
    const void *data;
    size_t offset, size;
};

struct takumi_parser;
struct takumi_parser *takumi_parser_new(void);
void takumi_parser_free(struct takumi_parser *parser);

/// Why the last call failed, in one sentence, ended by a NUL.
const char *takumi_parser_error(const struct takumi_parser *parser);

// MARK: - Bodies of requests

enum {
    /// The body's tensors are larger than a call can hold.
    TAKUMI_TOO_LARGE = -2,
    TAKUMI_FAILED = -1,
    /// A regular array of numbers or of booleans.
    TAKUMI_TENSOR,
    /// Valid JSON that is something else.
    TAKUMI_JSON,
};

/// Reads `{"instances": [..]}`. Returns TAKUMI_TENSOR and fills `tensor` (INT64, FP64 or BOOL), TAKUMI_JSON, or a negative number.
/// `rows` becomes the number of instances.
int takumi_parse_v1(
    struct takumi_parser *parser, const char *json, size_t length, struct takumi_tensor *tensor, int64_t *rows);

struct takumi_v2_output {
    struct takumi_text name;
    /// 1 or 0 for a `binary_data` that is true or false, -1 where it is not said.
    int binary;
};

struct takumi_v2 {
    struct takumi_text id;
    /// The request's parameters, a JSON object.
    struct takumi_text parameters;
    /// `binary_data_output` of the request: 1, 0, or -1 where it is not said.
    int binary;
    const struct takumi_tensor *inputs;
    size_t input_count;
    const struct takumi_v2_output *outputs;
    size_t output_count;
};

/// Reads a request of the Open Inference Protocol. `json_length` is the length of its JSON part, what follows it up to `length`
/// is binary data; `binary` says whether there was a header that told the length of the JSON part.
/// Returns 0 or a negative number. `model` is named by errors.
int takumi_parse_v2(
    struct takumi_parser *parser, const char *body, size_t length, size_t json_length, bool binary, const char *model,
    struct takumi_v2 *request);

enum {
    TAKUMI_KEY_INSTANCES = 1,
    TAKUMI_KEY_INPUTS = 2,
    TAKUMI_KEY_PROMPT = 4,
    TAKUMI_KEY_MESSAGES = 8,
};

struct takumi_outline {
    /// Which of the keys TAKUMI_KEY_* the object has.
    int keys;
    bool stream;
    struct takumi_text model;
};

/// Checks that the body is a JSON object and tells what it looks like. Returns 0 or TAKUMI_FAILED, and has then the keys that
/// came before the fault.
int takumi_parse_outline(
    struct takumi_parser *parser, const char *json, size_t length, struct takumi_outline *outline);

// MARK: - Headers of the worker's frames

struct takumi_reply_item {
    const struct takumi_tensor *outputs;
    size_t output_count;
    /// Size of a JSON value in the body, -1 where there is none.
    int64_t json;
    /// Where the item's part of the body begins.
    size_t offset;
    struct takumi_text error;
    int64_t status;
    /// `type`, `param` and `code` of an OpenAI error: JSON values, as they came.
    struct takumi_text type, param, code;
    struct takumi_text parameters;
    struct takumi_text content_type;
};

struct takumi_reply {
    int64_t call;
    bool chunk, end;
    /// Outputs of all rows together, or else one item per request. `whole` is null where there are items.
    const struct takumi_reply_item *whole;
    const struct takumi_reply_item *items;
    size_t item_count;
};

/// Reads a frame's header and gives every output its part of the body of `body_size` bytes that follows it.
/// Returns 0 or TAKUMI_FAILED.
int takumi_parse_reply(
    struct takumi_parser *parser, const char *json, size_t length, size_t body_size, struct takumi_reply *reply);

// MARK: - Datatypes

/// -1 for a name that is none. Case does not matter.
int takumi_datatype(const char *name, size_t length);
const char *takumi_datatype_name(int datatype);
/// Bytes of an element, 0 for BYTES.
size_t takumi_datatype_size(int datatype);
/// Walks over BYTES elements. Returns the size of the first `count`, or -1 where the bytes end before.
int64_t takumi_bytes_extent(const void *data, size_t size, int64_t count);

// MARK: - Writing JSON

/// No more than this is written for `count` elements with `arrays` pairs of brackets around them.
size_t takumi_json_bound(int datatype, size_t size, int64_t count, int64_t arrays);
/// Writes elements as a flat array. NaN and the infinities, which JSON lacks, become null.
/// Returns how much was written, 0 where BYTES are not UTF-8.
size_t takumi_write_flat(char *to, int datatype, const void *data, size_t size, int64_t count);
/// Writes elements nested as the shape says; a rank of 0 is a lone value.
size_t takumi_write_nested(
    char *to, int datatype, const void *data, size_t size, const int64_t *shape, int rank);
/// Writes a text with its quotes; at most 6 × length + 2 bytes.
size_t takumi_write_string(char *to, const char *text, size_t length);
bool takumi_is_utf8(const char *text, size_t length);

#ifdef __cplusplus
}
#endif

#endif
