// The C side of XML2; see include/CXML2.h.

#include "CXML2.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct tg_xml_outcome {
    xmlParserCtxtPtr parser;
    tg_xml_limits limits;
    size_t depth;
    size_t elements;
    uint8_t *events;
    size_t count;
    size_t capacity;
    int verdict;
    int code;
    int line;
    int column;
};

// The first refusal stands; what libxml2 finds after it follows from it.
static void refuse(tg_xml_outcome *outcome, int verdict) {
    if (outcome->verdict == tg_xml_accepted) {
        outcome->verdict = verdict;
        outcome->line = xmlSAX2GetLineNumber(outcome->parser);
        outcome->column = xmlSAX2GetColumnNumber(outcome->parser);
    }
}

// For callbacks of content, where libxml2 allows to be stopped (inside an error callback it does not).
static void stop(tg_xml_outcome *outcome, int verdict) {
    refuse(outcome, verdict);
    xmlStopParser(outcome->parser);
}

static void append(tg_xml_outcome *outcome, const void *bytes, size_t count) {
    if (outcome->verdict != tg_xml_accepted) return;
    if (count > outcome->capacity - outcome->count) {
        size_t capacity = outcome->capacity ? outcome->capacity : 4096;
        while (capacity - outcome->count < count) capacity *= 2;
        uint8_t *grown = realloc(outcome->events, capacity);
        if (!grown) {
            stop(outcome, tg_xml_out_of_memory);
            return;
        }
        outcome->events = grown;
        outcome->capacity = capacity;
    }
    if (count) memcpy(outcome->events + outcome->count, bytes, count);
    outcome->count += count;
}

static void append_byte(tg_xml_outcome *outcome, uint8_t byte) { append(outcome, &byte, 1); }

static void append_number(tg_xml_outcome *outcome, uint32_t number) {
    uint8_t bytes[4] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16), (uint8_t)(number >> 24)};
    append(outcome, bytes, 4);
}

static void append_string(tg_xml_outcome *outcome, const xmlChar *bytes, size_t count) {
    append_number(outcome, (uint32_t)count);
    append(outcome, bytes, count);
}

static size_t length(const xmlChar *text) { return text ? strlen((const char *)text) : 0; }

// libxml2 leaves `&` in an attribute's value as `&#38;` where it was not told to replace entities, which it never is
// here. No other reference can be left, since undefined entities are errors.
static void append_value(tg_xml_outcome *outcome, const xmlChar *value, size_t count) {
    static const char ampersand[] = "&#38;";
    const size_t width = sizeof ampersand - 1;
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        if (value[i] != '&') continue;
        if (count - i < width || memcmp(value + i, ampersand, width) != 0) {
            stop(outcome, tg_xml_malformed);
            return;
        }
        left++;
    }
    append_number(outcome, (uint32_t)(count - left * (width - 1)));
    for (size_t start = 0; start < count;) {
        const xmlChar *found = memchr(value + start, '&', count - start);
        size_t end = found ? (size_t)(found - value) + 1 : count;
        append(outcome, value + start, end - start);
        start = found ? end + width - 1 : end;
    }
}

static void on_start(void *pointer, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces,
                     const xmlChar **declared, int attributes, int defaulted, const xmlChar **values) {
    (void)prefix, (void)declared, (void)defaulted;
    tg_xml_outcome *outcome = pointer;
    outcome->depth++;
    outcome->elements++;
    if (outcome->depth > outcome->limits.depth || outcome->elements > outcome->limits.elements
        || (size_t)attributes + (size_t)namespaces > outcome->limits.attributes
        || length(name) > outcome->limits.name_bytes) {
        stop(outcome, tg_xml_exceeds_limit);
        return;
    }
    append_byte(outcome, 1);
    append_string(outcome, name, length(name));
    append_string(outcome, uri, length(uri));
    append_number(outcome, (uint32_t)attributes);
    // Each attribute is five pointers: local name, prefix, namespace, and the value's begin and end.
    for (int i = 0; i < attributes; i++) {
        const xmlChar **attribute = values + 5 * i;
        append_string(outcome, attribute[0], length(attribute[0]));
        append_string(outcome, attribute[2], length(attribute[2]));
        append_value(outcome, attribute[3], (size_t)(attribute[4] - attribute[3]));
    }
}

static void on_end(void *pointer, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {
    (void)name, (void)prefix, (void)uri;
    tg_xml_outcome *outcome = pointer;
    outcome->depth--;
    append_byte(outcome, 3);
}

static void on_text(void *pointer, const xmlChar *bytes, int count) {
    tg_xml_outcome *outcome = pointer;
    append_byte(outcome, 2);
    append_string(outcome, bytes, (size_t)count);
}

static void on_instruction(void *pointer, const xmlChar *target, const xmlChar *data) {
    (void)target, (void)data;
    stop(pointer, tg_xml_has_instruction);
}

// Any of the callbacks that only a document type declaration leads to. It comes before what the declaration holds.
static void on_subset(void *pointer, const xmlChar *name, const xmlChar *external, const xmlChar *system) {
    (void)name, (void)external, (void)system;
    stop(pointer, tg_xml_declares_doctype);
}

static void on_entity(void *pointer, const xmlChar *name, int type, const xmlChar *public_id, const xmlChar *system_id,
                      xmlChar *content) {
    (void)name, (void)type, (void)public_id, (void)system_id, (void)content;
    stop(pointer, tg_xml_declares_doctype);
}

static xmlParserInputPtr on_resolve(void *pointer, const xmlChar *public_id, const xmlChar *system_id) {
    (void)public_id, (void)system_id;
    stop(pointer, tg_xml_declares_doctype);
    return NULL;
}

static void on_reference(void *pointer, const xmlChar *name) {
    (void)name;
    stop(pointer, tg_xml_malformed);
}

// Namespace errors do not make a document ill-formed for libxml2; here every error refuses it.
static void on_error(void *pointer, xmlErrorPtr error) {
    tg_xml_outcome *outcome = pointer;
    if (error->level < XML_ERR_ERROR || outcome->verdict != tg_xml_accepted) return;
    outcome->code = error->code;
    refuse(outcome, error->code == XML_ERR_NO_MEMORY ? tg_xml_out_of_memory : tg_xml_malformed);
    if (error->line > 0) outcome->line = error->line;
}

// Nothing outside a document is ever loaded, whatever else might ask libxml2 for it in this process.
static xmlParserInputPtr load_nothing(const char *url, const char *id, xmlParserCtxtPtr parser) {
    (void)url, (void)id, (void)parser;
    return NULL;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void prepare(void) {
    xmlInitParser();
    xmlSetExternalEntityLoader(load_nothing);
}

tg_xml_outcome *tg_xml_parse(const uint8_t *bytes, size_t count, tg_xml_limits limits) {
    pthread_once(&once, prepare);
    tg_xml_outcome *outcome = calloc(1, sizeof *outcome);
    if (!outcome) return NULL;
    outcome->limits = limits;
    outcome->parser = xmlNewParserCtxt();
    if (!outcome->parser || count > INT_MAX) {
        outcome->verdict = outcome->parser ? tg_xml_exceeds_limit : tg_xml_out_of_memory;
        if (outcome->parser) xmlFreeParserCtxt(outcome->parser);
        outcome->parser = NULL;
        return outcome;
    }
    xmlSAXHandler handler;
    memset(&handler, 0, sizeof handler);
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = on_start;
    handler.endElementNs = on_end;
    handler.characters = on_text;
    handler.ignorableWhitespace = on_text;
    handler.cdataBlock = on_text;
    handler.processingInstruction = on_instruction;
    handler.internalSubset = on_subset;
    handler.externalSubset = on_subset;
    handler.entityDecl = on_entity;
    handler.resolveEntity = on_resolve;
    handler.reference = on_reference;
    handler.serror = on_error;
    memcpy(outcome->parser->sax, &handler, sizeof handler);
    outcome->parser->userData = outcome;
    // Neither NOENT nor DTDLOAD nor DTDATTR nor HUGE, ever; and the encoding is ours to say.
    xmlDocPtr document = xmlCtxtReadMemory(outcome->parser, (const char *)bytes, (int)count, NULL, "UTF-8",
                                           XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
    if (document) xmlFreeDoc(document);
    if (!outcome->parser->wellFormed) refuse(outcome, tg_xml_malformed);
    xmlFreeParserCtxt(outcome->parser);
    outcome->parser = NULL;
    return outcome;
}

void tg_xml_outcome_destroy(tg_xml_outcome *outcome) {
    free(outcome->events);
    free(outcome);
}

int tg_xml_outcome_verdict(const tg_xml_outcome *outcome) { return outcome->verdict; }
int tg_xml_outcome_code(const tg_xml_outcome *outcome) { return outcome->code; }
int tg_xml_outcome_line(const tg_xml_outcome *outcome) { return outcome->line; }
int tg_xml_outcome_column(const tg_xml_outcome *outcome) { return outcome->column; }

const uint8_t *tg_xml_outcome_events(const tg_xml_outcome *outcome, size_t *count) {
    *count = outcome->count;
    return outcome->events;
}
