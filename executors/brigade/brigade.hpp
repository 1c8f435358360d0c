// All of brigade: one runtime, three executors, one submit. See the README for a first program.
#pragma once

#include <brigade/base/error.hpp>
#include <brigade/base/executor_kind.hpp>
#include <brigade/codec/closure.hpp>
#include <brigade/codec/codec.hpp>
#include <brigade/codec/exception.hpp>
#include <brigade/files/files.hpp>
#include <brigade/processes/process.hpp>
#include <brigade/reactor/async_wait.hpp>
#include <brigade/reactor/awaitable.hpp>
#include <brigade/reactor/io_context.hpp>
#include <brigade/reactor/use_task.hpp>
#include <brigade/runtime/init.hpp>
#include <brigade/runtime/runtime.hpp>
#include <brigade/work/as_completed.hpp>
#include <brigade/work/combine.hpp>
#include <brigade/work/context.hpp>
#include <brigade/work/future.hpp>
#include <brigade/work/map.hpp>
#include <brigade/work/portable_call.hpp>
#include <brigade/work/sleep.hpp>
#include <brigade/work/submit.hpp>
#include <brigade/work/task.hpp>
#include <brigade/work/task_group.hpp>
#include <brigade/work/then.hpp>
