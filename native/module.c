/* monitor.core.native: `Scanner` and `Engine`. */
#include "engine.h"

static int add_type(PyObject *module, PyType_Spec *spec, const char *name, PyTypeObject **kept)
{
    *kept = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *kept && PyModule_AddObjectRef(module, name, (PyObject *)*kept) == 0 ? 0 : -1;
}

static int module_exec(PyObject *module)
{
    Module *state = PyModule_GetState(module);
    return add_type(module, &scanner_spec, "Scanner", &state->scanner) < 0 ||
                   add_type(module, &scanned_spec, "Scanned", &state->scanned) < 0 ||
                   add_type(module, &engine_spec, "Engine", &state->engine) < 0
               ? -1
               : 0;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    Module *state = PyModule_GetState(module);
    Py_VISIT(state->scanner);
    Py_VISIT(state->scanned);
    Py_VISIT(state->engine);
    return 0;
}

static int module_clear(PyObject *module)
{
    Module *state = PyModule_GetState(module);
    Py_CLEAR(state->scanner);
    Py_CLEAR(state->scanned);
    Py_CLEAR(state->engine);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static struct PyModuleDef native_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "monitor.core.native",
    .m_doc = "The compiled half of the matcher; `monitor.core.text` and `monitor.core.engine` do without it.",
    .m_size = sizeof(Module),
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
};

PyMODINIT_FUNC PyInit_native(void)
{
    return PyModuleDef_Init(&native_module);
}
