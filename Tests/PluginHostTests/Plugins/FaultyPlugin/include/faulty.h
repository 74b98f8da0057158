// A library that is only ever loaded; there is nothing to call.
#pragma once
