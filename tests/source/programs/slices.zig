//! Zig's slices, optionals, unions and errors.
extern "env" fn emit(value: i32) void;

const Point = struct { x: i32, y: i32 };
const Shape = union(enum) { circle: f32, point: Point };

export var counter: u32 = 3;

fn sum(values: []const i32) i32 {
    var total: i32 = 0;
    for (values) |value| {
        total += value;
    }
    emit(total);
    return total;
}

export fn run(n: i32) i32 {
    const numbers = [_]i32{ 1, 2, n };
    var shape = Shape{ .point = .{ .x = n, .y = 4 } };
    var maybe: ?i32 = n;
    const text: []const u8 = "zig";
    counter += 1;
    const result = sum(numbers[0..]) + (maybe orelse 0) + shape.point.y;
    maybe = null;
    shape = .{ .circle = 1.5 };
    return result + @as(i32, @intCast(text.len));
}
