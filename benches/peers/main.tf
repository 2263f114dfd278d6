# terraform_data is built in: it stores its input and makes no calls
resource "terraform_data" "room" {
  for_each = { for room in yamldecode(file("rooms.yaml")).rooms : room.pipe => room }
  input    = each.value
}
