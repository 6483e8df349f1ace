/* The engine: queries as a graph of shared nodes, the features that lead to them, and the article under way. */
#ifndef MONITOR_ENGINE_H
#define MONITOR_ENGINE_H

#include "native.h"

typedef struct {
    uint32_t first, last, exact; /* `exact`: the word that is the spelling with case and diacritics; 0 if nobody asks */
} Place;

/* --- words and patterns --- */

typedef struct {
    PyObject *text;
    uint32_t asked;              /* by how many nodes and features; a word that nobody asks for may be forgotten */
    uint32_t feature;            /* its own, or 0 */
    uint32_t pairs;              /* features that begin with it */
    uint32_t *patterns;          /* those that it matches, as of `generation` */
    uint32_t n_patterns, room_patterns, generation;
    uint32_t seen, place, count; /* the article that has it, and where its places are */
    uint32_t aliased, sorted;    /* the article in which it is another spelling somewhere; and has its places sorted */
} Word;

typedef struct {
    PyObject *object; /* its text */
    uint32_t *text;
    uint32_t length, asked, feature, next; /* `next`: with the same edge, or free */
    uint32_t seen, words;                  /* the article that has words of it, and the first of them in `hits` */
} Pattern;

typedef struct {
    uint32_t word, next;
} Hit;

/* --- features --- */

typedef struct {
    uint32_t second, query; /* the lowest bit of `query` says that nothing is left to verify */
} Posting;

enum FeatureKind { FEATURE_FREE, FEATURE_WORD, FEATURE_PAIR, FEATURE_PATTERN, FEATURE_OTHER, FEATURE_GROUP };

typedef struct {
    uint32_t kind, asked;
    uint32_t a, b;     /* words, or a pattern */
    PyObject *object;  /* of a group, or of what only Python can tell */
    uint32_t *groups;  /* that it is a member of */
    uint32_t *members; /* of a group */
    Posting *postings; /* of queries whose rarest feature it is */
    uint32_t n_groups, room_groups, n_members, n_postings, room_postings;
} Feature;

/* --- queries --- */

typedef struct {
    uint32_t first, second, sure;
} Home;

typedef struct {
    PyObject *payload; /* what Python needs to decide it, or NULL if nothing is left to Python */
    Home *homes;
    uint32_t n_homes, root, rules;
    uint32_t seen, sure, next; /* the article it is a candidate for, and whether it holds for sure; `next`: free */
} Query;

/* What its matches carry stands beside a rule: one look instead of six. */
enum { A_ID, A_NAME, A_SEVERITY, A_LABELS, CARRIED, A_EXPIRES_AT = CARRIED, ATTRIBUTES }; /* of a rule */

typedef struct {
    PyObject *rule, *version, *carried[CARRIED];
    uint32_t query, next, before;
    uint32_t may_expire;
} Rule;

/* --- nodes --- */

enum Op {
    OP_FREE,
    OP_WORD,     /* argument: word */
    OP_EXACT,    /* argument: word; other: the spelling, a word of its own */
    OP_WILD,     /* argument: pattern */
    OP_PHRASE,   /* parts in sequence */
    OP_UNION,    /* places of the parts, told under its own text */
    OP_NEAR,     /* argument: words between; other: in order */
    OP_NOT_NEAR, /* argument: words between */
    OP_EXCEPT,
    OP_ANY,
    OP_ALL,
    OP_NOT,
    OP_SOME,    /* argument: how many of the parts */
    OP_OFTEN,   /* argument: how many times */
    OP_FEATURE, /* argument: feature; what is met or not, and has no place */
    OP_UNKNOWN, /* what only Python can tell; argument: its text, a word */
    OP_LAST
};

/* No proximity bridges the gap between fields. */
enum { GAP = 256 };
enum { TITLE = 1, SUMMARY = 2, BODY = 4, EVERYWHERE = 7, FIELDS = 3 };

typedef struct {
    uint8_t op, mask, placed, unknown; /* `placed`: has places; `unknown`: an OP_UNKNOWN is part of it */
    uint32_t argument, other;
    uint32_t users, next, query;      /* `next`: with the same hash, or free */
    uint32_t n_parts;
    union {
        uint32_t few[2], *many;
    } parts;
    uint32_t memo;  /* of what has places */
    uint32_t truth; /* the article, and in the lowest bits the answer */
} Node;

static inline const uint32_t *parts_of(const Node *node)
{
    return node->n_parts <= 2 ? node->parts.few : node->parts.many;
}

typedef struct {
    uint32_t first, last, memo;
} Leaf; /* a place of a term */

typedef struct {
    uint32_t first, last, n_leaves; /* no leaves: it is one itself */
    const Leaf *leaves;
} Occurrence;

typedef struct {
    Occurrence *found;
    Leaf *leaves;     /* sorted, each once */
    PyObject **spans; /* of a term: one for each occurrence, made when first wanted */
    char *text;       /* UTF-8, whose order is that of code points */
    PyObject *part;
    uint32_t n_found, n_leaves, found_in, leaves_in, length, next; /* `next`: free, or with spans */
} Memo;

/* --- the engine --- */

/* Where the fields of a record that Python declared are set: quicker than by their names. */
enum { SPAN_FIELDS = 5, MATCH_FIELDS = 8 };
typedef struct {
    PyObject *type, *fields[MATCH_FIELDS];
} Record;

/* A query that holds, and the places of its terms. */
typedef struct {
    uint32_t query, n_leaves;
    const Leaf *leaves;
} Result;

/* What is given of an article. */
typedef struct {
    PyObject *id, *now, *names[FIELDS], *texts[FIELDS];
} Given;

typedef struct Engine {
    PyObject_HEAD
    PyObject *words_by_text, *features_by_object; /* -> numbers */
    PyObject *attributes[ATTRIBUTES];
    Record span, match;
    PyObject *asked, *forgotten;                  /* told of features that only Python can find */
    Word *words;
    Feature *features;
    Pattern *patterns;
    Node *nodes;
    Memo *memos;
    Query *queries;
    Rule *rules;
    uint32_t n_words, n_features, n_patterns, n_nodes, n_memos, n_queries, n_rules; /* slots used, the first is none */
    uint32_t room_words, room_features, room_seen_features, room_patterns, room_nodes, room_memos, room_queries,
        room_rules;
    uint32_t free_word, free_feature, free_pattern, free_node, free_memo, free_query, free_rule;
    uint32_t live; /* of everything above that somebody asks for: nothing once no rule is left */
    uint32_t n_seen_words, n_exacts, n_asked_patterns, generation;
    Map pairs, edges, node_hashes, rule_addresses;

    /* the article under way */
    uint32_t article;        /* counts articles, from 1 */
    uint32_t *seen_features; /* the article that has each */
    uint32_t *present, n_present, room_present;
    Hit *hits;
    uint32_t n_hits, room_hits;
    uint32_t *tokens, *exacts, room_tokens, room_exacts;
    Place *places;
    uint32_t room_places;
    const Scanned *fields[FIELDS];
    uint32_t bases[FIELDS + 1];
    uint32_t *candidates, n_candidates, room_candidates;
    Result *results;
    uint32_t n_results, room_results;
    uint32_t *gathered, n_gathered, room_gathered; /* nodes whose places one result is made of */
    uint32_t with_spans;                           /* the first memo that holds some; each knows the next */
    Arena arena;
    int busy;

    /* time */
    PyObject *check;
    PyThreadState *thread;
    uint64_t work;
} Engine;

/* Count steps; now and then ask whether there is time left. -1: there is none. */
enum { STEPS = 1 << 18 };
int check_time(Engine *self);

static inline int spend(Engine *self, uint64_t steps)
{
    self->work += steps;
    return self->work < STEPS ? 0 : check_time(self);
}

/* words.c */
int find_word(Engine *self, PyObject *text, uint32_t *number); /* 0 if there is none */
int word_of(Engine *self, PyObject *text, uint32_t *number);   /* made if need be; counts one more who asks */
int see_word(Engine *self, PyObject *text, uint32_t *number);  /* made if need be */
void release_word(Engine *self, uint32_t number);
int pattern_of(Engine *self, PyObject *text, uint32_t *number); /* counts one more who asks */
void release_pattern(Engine *self, uint32_t number);
int match_patterns(Engine *self, uint32_t word);
int forget_unasked(Engine *self);

/* features.c */
int feature_of(Engine *self, PyObject *described, uint32_t *number); /* counts one more who asks */
void release_feature(Engine *self, uint32_t number);
int add_posting(Engine *self, const Home *home, uint32_t query);
void drop_posting(Engine *self, const Home *home, uint32_t query);

/* nodes.c */
int node_of(Engine *self, PyObject *described, int depth, uint32_t *number); /* counts one more user */
void release_node(Engine *self, uint32_t number);

/* article.c */
int read_article(Engine *self, PyObject *extras);
int find_candidates(Engine *self);

/* places.c */
int occurrences(Engine *self, uint32_t node, const Memo **found);
int leaves(Engine *self, uint32_t node, const Memo **found);
int are_near(Engine *self, const Node *node);
int count_apart(Engine *self, const Memo *memo, uint32_t *count);
int compare_leaves(const Engine *self, const Leaf *one, const Leaf *other);
int sort_leaves(Engine *self, Leaf *leaves, uint32_t *count);

/* truth.c */
enum { NO, YES, MAYBE };
int truth(Engine *self, uint32_t node, int *answer);

/* results.c */
int find_results(Engine *self);

/* matches.c */
int record_of(PyObject *type, const char *const *names, Record *record);
int matches_of(Engine *self, const Given *given, const Result *result, PyObject *found);
PyObject *rules_of(Engine *self, uint32_t query);
void drop_spans(Engine *self);
#endif
