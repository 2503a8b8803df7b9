#ifndef CXML2_H
#define CXML2_H

#include <stddef.h>
#include <stdint.h>

// libxml2 as a well-formedness checker that turns a document into a list of events. None of libxml2's headers is
// visible here: `libxml/encoding.h` pulls in the system ICU, which clashes with Foundation's.

/// What is refused in the document beyond what XML itself refuses. Exceeding one stops the parser at once.
typedef struct {
    size_t depth;
    size_t elements;
    size_t attributes;
    size_t name_bytes;
} tg_xml_limits;

enum {
    tg_xml_accepted = 0,
    tg_xml_malformed = 1,
    tg_xml_declares_doctype = 2,
    tg_xml_has_instruction = 3,
    tg_xml_exceeds_limit = 4,
    tg_xml_out_of_memory = 5,
};

/// What became of a document.
typedef struct tg_xml_outcome tg_xml_outcome;

/// Parses `count` bytes (at most INT_MAX) of UTF-8. NULL without memory. Nothing is loaded, no entity is expanded but
/// the five of XML and character references. The pointer is not kept.
tg_xml_outcome *_Nullable tg_xml_parse(const uint8_t *_Nonnull bytes, size_t count, tg_xml_limits limits);
void tg_xml_outcome_destroy(tg_xml_outcome *_Nonnull outcome);

/// One of the numbers above.
int tg_xml_outcome_verdict(const tg_xml_outcome *_Nonnull outcome);
/// libxml2's number of the first error (`xmlParserErrors`), 0 without one, and where it was, from 1 on.
int tg_xml_outcome_code(const tg_xml_outcome *_Nonnull outcome);
int tg_xml_outcome_line(const tg_xml_outcome *_Nonnull outcome);
int tg_xml_outcome_column(const tg_xml_outcome *_Nonnull outcome);

/// The events of an accepted document, valid until the outcome is destroyed.
///
/// An event is a byte of kind and its fields; a string is its length (4 bytes, little-endian) and its bytes.
///   1  start: local name, namespace (empty for none), the number of attributes (4 bytes), and of each: local name,
///      namespace, value. Declarations of namespaces are no attributes.
///   2  text: the bytes. Text, CDATA sections and character references may come in several events.
///   3  end.
const uint8_t *_Nullable tg_xml_outcome_events(const tg_xml_outcome *_Nonnull outcome, size_t *_Nonnull count);

#endif
